"""The deadline of the tests: it fires in time, it can be stretched, and otherwise it does nothing."""

from __future__ import annotations

import anyio
import pytest

from tests.kit.deadline import FACTOR_VARIABLE, deadline, seconds


async def test_wait_beyond_the_deadline_fails_with_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FACTOR_VARIABLE, raising=False)
    with pytest.raises(TimeoutError, match=r"not done within 0\.01 s"):
        async with deadline(0.01):
            await anyio.sleep_forever()


async def test_work_within_the_deadline_is_left_alone() -> None:
    async with deadline(5):
        await anyio.lowlevel.checkpoint()
    assert not anyio.get_current_task().has_pending_cancellation()


async def test_error_within_the_deadline_comes_out_as_it_is() -> None:
    with pytest.raises(KeyError, match="card"):
        async with deadline(5):
            raise KeyError("card")


async def test_cancellation_from_outside_is_not_called_a_timeout() -> None:
    with anyio.CancelScope() as outer:
        async with deadline(5):
            outer.cancel()
            await anyio.sleep_forever()
    assert outer.cancelled_caught


def test_environment_stretches_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FACTOR_VARIABLE, "2.5")
    assert seconds(4) == 10.0


@pytest.mark.parametrize("text", ["0", "-1", "nan", "soon"])
def test_environment_without_a_useful_factor_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(FACTOR_VARIABLE, text)
    with pytest.raises(ValueError, match=r"above zero|could not convert"):
        seconds()
