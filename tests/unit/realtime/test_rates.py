"""`Rate`: each client has its own, may save up a little, and learns when to retry."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from realtime.limits import LimitReached
from realtime.rates import CLIENT, MAX_CLIENTS, MINUTE, Rate


class Clock:
    """A clock that stands still."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


@pytest.fixture
def client() -> Iterator[None]:
    """Run the block as the given client."""
    token = CLIENT.set("127.0.0.1")
    yield
    CLIENT.reset(token)


def test_server_itself_has_no_limit() -> None:
    rate = Rate(1, "commands", Clock())
    for _ in range(100):
        rate.spend(1)
    assert len(rate) == 0


@pytest.mark.usefixtures("client")
def test_no_rate_is_no_limit() -> None:
    rate = Rate(0, "commands", Clock())
    rate.spend(1_000_000)
    assert len(rate) == 0


@pytest.mark.usefixtures("client")
def test_client_may_spend_what_it_saved_and_then_its_rate() -> None:
    clock = Clock()
    rate = Rate(10, "commands", clock)
    for _ in range(20):
        rate.spend(1)
    with pytest.raises(LimitReached, match="expected at most 10 commands a second") as refused:
        rate.spend(1)
    assert refused.value.retry_after_seconds == 1
    clock.now += 0.5
    for _ in range(5):
        rate.spend(1)
    with pytest.raises(LimitReached):
        rate.spend(1)


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("per_minute", [1, 3, 7, 60])
def test_burst_has_no_request_more_while_time_passes(per_minute: int) -> None:
    clock = Clock()
    rate = Rate(per_minute, "wrong tokens", clock, period=MINUTE)
    for _ in range(per_minute):
        rate.spend(1)
        clock.now += 0.001
    with pytest.raises(LimitReached) as refused:
        rate.spend(1)
    assert refused.value.retry_after_seconds == pytest.approx(60 / per_minute, abs=1)
    clock.now += refused.value.retry_after_seconds
    rate.spend(1)


@pytest.mark.usefixtures("client")
def test_slow_rate_allows_one_request_at_a_time() -> None:
    clock = Clock()
    rate = Rate(0.1, "commands", clock)
    for _ in range(3):
        rate.spend(1)
        with pytest.raises(LimitReached) as refused:
            rate.spend(1)
        clock.now += refused.value.retry_after_seconds


@pytest.mark.usefixtures("client")
def test_named_client_spends_instead_of_that_of_the_task() -> None:
    rate = Rate(1, "wrong tokens", Clock(), period=MINUTE)
    rate.spend(1, "192.0.2.1")
    rate.spend(1)
    with pytest.raises(LimitReached):
        rate.spend(1, "192.0.2.1")


@pytest.mark.usefixtures("client")
def test_large_request_passes_and_the_next_one_waits_for_it() -> None:
    clock = Clock()
    rate = Rate(100, "events", clock)
    rate.spend(1000)
    with pytest.raises(LimitReached) as refused:
        rate.spend(1)
    assert refused.value.retry_after_seconds == 9
    clock.now += 8
    with pytest.raises(LimitReached):
        rate.spend(1)
    clock.now += 0.01  # 800 are owed, and there must be one
    rate.spend(1)


@pytest.mark.usefixtures("client")
def test_refusal_costs_nothing() -> None:
    clock = Clock()
    rate = Rate(1, "commands", clock)
    rate.spend(2)
    for _ in range(50):
        with pytest.raises(LimitReached):
            rate.spend(1)
    clock.now += 1
    rate.spend(1)


@pytest.mark.usefixtures("client")
def test_clients_do_not_share_a_rate_and_are_forgotten_in_time() -> None:
    rate = Rate(1, "commands", Clock())
    rate.spend(2)
    for number in range(MAX_CLIENTS + 10):
        CLIENT.set(str(number))
        rate.spend(2)
    assert len(rate) == MAX_CLIENTS


@pytest.mark.usefixtures("client")
def test_refusal_names_the_requests_the_period_and_the_sender() -> None:
    rate = Rate(1, "wrong tokens", Clock(), period=MINUTE, sender="an address")
    rate.spend(1)
    with pytest.raises(LimitReached) as refused:
        rate.spend(1)
    assert str(refused.value) == "expected at most 1 wrong tokens a minute from an address, got more"
    assert refused.value.retry_after_seconds == 60


def test_what_a_client_takes_during_an_exchange_is_not_forgotten() -> None:
    rate = Rate(10, "commands", Clock(), period=MINUTE)
    assert rate.take_spent() == {}
    rate.spend(3, "a")
    assert rate.take_spent() == {"a": 3}
    rate.spend(2, "a")
    rate.settle("a", 4.0)
    rate.spend(2, "a")
    with pytest.raises(LimitReached):
        rate.spend(1, "a")
    assert rate.take_spent() == {"a": 4}


def test_level_of_a_client_without_a_bucket_is_dropped() -> None:
    rate = Rate(10, "commands", Clock(), period=MINUTE)
    rate.settle("a", 0.0)
    assert len(rate) == 0


def test_counts_for_the_next_exchange_have_a_bound() -> None:
    rate = Rate(10, "commands", Clock(), period=MINUTE)
    rate.take_spent()
    for client in range(MAX_CLIENTS + 5):
        rate.spend(1, str(client))
    spent = rate.take_spent()
    assert len(spent) == MAX_CLIENTS
    assert "4" not in spent
