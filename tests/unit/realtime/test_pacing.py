"""Calls that come together are made in batches, in order, and within the time there is."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from realtime.lifetimes import pacing
from realtime.lifetimes.pacing import PacedCalls
from tests.kit.loop_time import LoopTime


async def test_single_calls_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    time, paced, made = LoopTime(monkeypatch), PacedCalls(), list[int]()
    for number in range(3):
        paced.call(partial(made.append, number))
        assert made[-1] == number
        await time.go_on(2 * pacing.PAUSE_SECONDS)


@pytest.mark.parametrize("count", [2, pacing.BATCH + 1, 2000, 30_000])
async def test_calls_of_one_moment_are_spread_and_keep_their_order(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    time, paced, made = LoopTime(monkeypatch), PacedCalls(), list[int]()
    for number in range(count):
        paced.call(partial(made.append, number))
    assert made == [0]
    most = max(pacing.BATCH, count * pacing.PAUSE_SECONDS / pacing.SPREAD_SECONDS + 1)
    while len(made) < count:
        before = len(made)
        await time.go_on(pacing.PAUSE_SECONDS)
        assert before < len(made) <= before + most
    assert made == list(range(count))
    assert time.passed <= pacing.SPREAD_SECONDS + 2 * pacing.PAUSE_SECONDS


async def test_call_that_fails_loses_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    time, paced, made, faults = LoopTime(monkeypatch), PacedCalls(), list[int](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
    for number in range(4):
        paced.call(partial(made.append, number) if number != 2 else partial(int, "no number"))
    for _ in range(3):
        await time.go_on(2 * pacing.PAUSE_SECONDS)
    assert made == [0, 1, 3]
    assert [type(one) for one in faults] == [ValueError]
