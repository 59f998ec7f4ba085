"""Each subscriber of a connection gets one warning for each end of a token, 60 s before it, and nobody else does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import iso
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.grants import EVERYTHING
from realtime.lifetimes import pacing
from realtime.lifetimes.connection_lifetimes import ConnectionLifetimes
from realtime.lifetimes.credentials import WARNING_SECONDS, Credential
from realtime.messages import payloads
from tests.kit.loop_time import LoopTime

_HOUR = 3600.0


async def _taken(subscriber: Subscriber) -> list[str | None]:
    """Return what waits for a subscriber: the ends in the warnings, and None for a goodbye."""
    taken: list[str | None] = []
    while len(subscriber):
        payload = (await subscriber.get()).payload
        taken.append(payload.expires_at if isinstance(payload, payloads.Access) else None)
    return taken


async def _count(subscribers: list[Subscriber]) -> int:
    """Return how many envelopes waited for all of them."""
    return sum([len(await _taken(subscriber)) for subscriber in subscribers])


class _Connections:
    """Connections on a clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = LoopTime(monkeypatch)
        self.lifetimes = ConnectionLifetimes(clock=self.time)

    def credential(self, seconds: float) -> Credential:
        return Credential(self.end(seconds))

    def end(self, seconds: float) -> datetime:
        return self.time() + timedelta(seconds=seconds)


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Callable[[], _Connections]:
    return lambda: _Connections(monkeypatch)


_Make = Callable[[], _Connections]


async def test_warning_comes_60_seconds_before_the_end_and_the_goodbye_then(connections: _Make) -> None:
    one, subscriber, other = connections(), Subscriber(5), Subscriber(5)
    token, end = one.credential(_HOUR), iso(one.end(_HOUR))
    with one.lifetimes.reading(subscriber, credential=token), one.lifetimes.reading(other):
        await one.time.go_on(_HOUR - WARNING_SECONDS - 1)
        assert await _taken(subscriber) == []
        await one.time.go_on(1)
        assert await _taken(subscriber) == [end]
        await one.time.go_on(WARNING_SECONDS - 1)
        assert await _taken(subscriber) == []
        await one.time.go_on(1)
        assert await _taken(subscriber) == [None]
        assert len(other) == 0


@pytest.mark.parametrize("seconds", [1, 59, WARNING_SECONDS])
async def test_short_token_gives_its_warning_at_once(seconds: float, connections: _Make) -> None:
    one, subscriber = connections(), Subscriber(5)
    end = iso(one.end(seconds))
    with one.lifetimes.reading(subscriber, credential=one.credential(seconds)):
        assert await _taken(subscriber) == [end]
        await one.time.go_on(seconds)
        assert await _taken(subscriber) == [None]


async def test_token_of_connection_and_stream_gives_one_warning(connections: _Make) -> None:
    one, early, late = connections(), Subscriber(5), Subscriber(5)
    token, end = one.credential(_HOUR), iso(one.end(_HOUR))
    with one.lifetimes.open(credential=token) as lifetime, one.lifetimes.reading(early, lifetime, token):
        await one.time.go_on(_HOUR - WARNING_SECONDS / 2)
        # Each request of a stream with several operations makes a credential of its own from the same token.
        again = one.credential(WARNING_SECONDS / 2)
        with one.lifetimes.reading(late, lifetime, again):
            await one.time.go_on(1)
            assert await _taken(early) == await _taken(late) == [end]


async def test_operation_that_is_over_leaves_no_warning_of_its_token(connections: _Make) -> None:
    one, subscriber = connections(), Subscriber(5)
    with one.lifetimes.open() as lifetime:
        with one.lifetimes.reading(Subscriber(5), lifetime, one.credential(1)):
            pass
        with one.lifetimes.reading(subscriber, lifetime, one.credential(_HOUR)):
            await one.time.go_on(2)
            assert await _taken(subscriber) == []


async def test_two_tokens_of_one_connection_each_give_a_warning(connections: _Make) -> None:
    one, early, late = connections(), Subscriber(5), Subscriber(5)
    first, second = iso(one.end(30)), iso(one.end(40))
    with (
        one.lifetimes.open(credential=one.credential(30)) as lifetime,
        one.lifetimes.reading(early, lifetime, one.credential(40)),
        one.lifetimes.reading(late, lifetime),
    ):
        assert await _taken(early) == await _taken(late) == [first, second]


async def test_subscribers_of_many_connections_are_warned_and_ended_in_batches(connections: _Make) -> None:
    one, subscribers = connections(), [Subscriber(5) for _ in range(500)]
    with ExitStack() as stack:
        for subscriber in subscribers:
            stack.enter_context(one.lifetimes.reading(subscriber, credential=one.credential(_HOUR)))
        for seconds in (_HOUR - WARNING_SECONDS, WARNING_SECONDS - pacing.SPREAD_SECONDS):
            before = one.time.passed
            await one.time.go_on(seconds)
            reached = await _count(subscribers)
            assert reached == 1
            while reached < len(subscribers):
                await one.time.go_on(pacing.PAUSE_SECONDS)
                came = await _count(subscribers)
                assert 0 < came <= pacing.BATCH
                reached += came
            assert one.time.passed - before - seconds <= pacing.SPREAD_SECONDS
            await one.time.go_on(pacing.SPREAD_SECONDS - (one.time.passed - before - seconds))


async def test_nothing_is_changed_for_a_token_from_its_end_on(connections: _Make) -> None:
    one = connections()
    tokens = [one.credential(_HOUR) for _ in range(100)]
    with ExitStack() as stack:
        for token in tokens:
            stack.enter_context(one.lifetimes.open(credential=token))
        await one.time.go_on(_HOUR)
        assert all(token.ended_by is not None for token in tokens)


#: Seconds to pass, a new token with so many seconds, or a subscriber that comes or goes.
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.integers(1, 70)),
        st.tuples(st.just("refresh"), st.integers(1, 200).map(lambda whole: whole + 0.5)),
        st.tuples(st.sampled_from(["come", "go"]), st.just(0)),
    ),
    max_size=30,
)


class _Model:
    """The warnings that each subscriber should have."""

    def __init__(self, end: float) -> None:
        self.now = 0.0
        self.end = end
        self.expected: list[list[float]] = []

    @property
    def is_warned(self) -> bool:
        return self.now > self.end - WARNING_SECONDS

    @property
    def is_over(self) -> bool:
        return self.now > self.end

    def go_on(self, seconds: float) -> None:
        was_warned, self.now = self.is_warned, self.now + seconds
        if self.is_warned and not was_warned:
            for warnings in self.expected:
                warnings.append(self.end)

    def come(self) -> None:
        self.expected.append([self.end] if self.is_warned else [])


@given(life=st.integers(1, 200).map(lambda whole: whole + 0.5), steps=_STEPS)
def test_each_subscriber_has_each_warning_once_after_any_steps(life: float, steps: list[tuple[str, float]]) -> None:
    came, expected = asyncio.run(_follow(life, steps))
    assert came == expected


async def _follow(life: float, steps: list[tuple[str, float]]) -> tuple[list[object], list[object]]:
    """Return what came to each subscriber that is left, and what it should have got."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        one, model = _Connections(patch), _Model(life)
        start = one.time()
        lifetime = stack.enter_context(one.lifetimes.open(credential=one.credential(life)))
        readers: list[tuple[Subscriber, ExitStack]] = []
        for kind, value in steps:
            if kind == "come":
                reader = (Subscriber(100), stack.enter_context(ExitStack()))
                reader[1].enter_context(one.lifetimes.reading(reader[0], lifetime))
                readers.append(reader)
                model.come()
            elif kind == "go" and readers:
                readers.pop(0)[1].close()
                model.expected.pop(0)
            elif kind == "refresh":
                one.lifetimes.refresh(lifetime, one.credential(value), EVERYTHING)
                model.end = model.now + value
            elif kind == "pass":
                # In two steps: a warning and an end of one step are two calls, and the second is paced.
                await one.time.go_on(value - 2 * pacing.PAUSE_SECONDS)
                await one.time.go_on(2 * pacing.PAUSE_SECONDS)
                model.go_on(value)
            if model.is_over:
                break
        last = [None] if model.is_over else []
        expected = [[*(iso(start + timedelta(seconds=end)) for end in ends), *last] for ends in model.expected]
        return [await _taken(subscriber) for subscriber, _ in readers], list(expected)
