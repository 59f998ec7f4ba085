"""Coalesced timers: each fires once, not early, and timers of similar times share one."""

from __future__ import annotations

import asyncio

import pytest

from server.concurrency.coalesced_timer import CoalescedTimer, CoalescedTimers, coalesced_timers
from tests.kit.deadline import deadline

_SOON = 0.01
_FAR = 100.0


async def test_timer_fires_once_and_not_before_its_time() -> None:
    loop = asyncio.get_running_loop()
    fired: asyncio.Future[float] = loop.create_future()
    begun = loop.time()
    CoalescedTimers().set(_SOON, lambda: fired.set_result(loop.time()))  # a second call would fail
    async with deadline(5):
        assert await fired - begun >= _SOON * 0.9  # the loop may be early by its resolution
        assert len(coalesced_timers()) == 0


async def test_timers_of_about_the_same_time_share_one_of_the_loop_until_the_last_is_cancelled() -> None:
    set_ones = CoalescedTimers()
    made = [set_ones.set(_FAR, lambda: None) for _ in range(100)]
    assert len(set_ones) <= 2  # the times may lie on both sides of a step
    for timer in made:
        timer.cancel()
        timer.cancel()
    assert len(set_ones) == 0


async def test_cancelled_timer_does_not_fire_also_when_another_of_its_time_cancels_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.concurrency.coalesced_timer.LATE_PART", 10.0)  # so that all have one time
    fired: asyncio.Queue[str] = asyncio.Queue()
    set_ones = CoalescedTimers()
    silent = set_ones.set(_SOON, lambda: fired.put_nowait("cancelled before"))
    pair: list[CoalescedTimer] = []

    def fire() -> None:
        fired.put_nowait("one of two")
        for timer in pair:
            timer.cancel()

    pair += (set_ones.set(_SOON, fire), set_ones.set(_SOON, fire))
    silent.cancel()
    async with deadline(5):
        assert await fired.get() == "one of two"
        set_ones.set(0.0, lambda: fired.put_nowait("last"))
        assert await fired.get() == "last"


async def test_timer_that_fails_is_reported_and_the_others_fire(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.concurrency.coalesced_timer.LATE_PART", 10.0)
    reported: list[Exception] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
    fired: asyncio.Queue[int] = asyncio.Queue()
    set_ones = CoalescedTimers()

    def fail() -> None:
        raise ValueError("a timer")

    for call in (lambda: fired.put_nowait(1), fail, lambda: fired.put_nowait(2)):
        set_ones.set(_SOON, call)
    async with deadline(5):
        assert {await fired.get(), await fired.get()} == {1, 2}
    assert [str(fault) for fault in reported] == ["a timer"]


async def test_loop_has_one_set_of_timers() -> None:
    assert coalesced_timers() is coalesced_timers()
