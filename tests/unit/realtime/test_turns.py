"""Streams that have something to send share the turns of the event loop, and leave a part of each to others."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from realtime.fanout.turns import TURN_SECONDS, WOKEN, Turns
from tests.kit.deadline import deadline

_WAIT_UNITS = 10
_STEP = TURN_SECONDS / 5


class _Clock:
    """A clock that only work moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class _Work:
    """Streams that are always ready, and a callback that notes how much they did between two turns of the loop."""

    def __init__(self, clock: _Clock) -> None:
        self.clock = clock
        self.turns = Turns()
        self.done: Counter[int] = Counter()
        self.step_seconds = _STEP
        #: The stream of each step.
        self.order: list[int] = []
        #: Steps in each turn of the loop.
        self.by_turn: list[int] = []
        #: Number of steps after which `is_under_way` is set.
        self.enough = 0
        self.is_under_way = asyncio.Event()
        self._before = 0
        self._is_over = False

    async def stream(self, number: int, steps: int) -> None:
        for _ in range(steps):
            await self.turns.room()
            self.clock.now += self.step_seconds
            self.done[number] += 1
            self.order.append(number)
            if self.done.total() >= self.enough:
                self.is_under_way.set()

    def look(self) -> None:
        self.by_turn.append(self.done.total() - self._before)
        self._before = self.done.total()
        if not self._is_over:
            asyncio.get_running_loop().call_soon(self.look)

    async def run(self, streams: int, steps: int) -> None:
        self.look()
        async with deadline(_WAIT_UNITS), asyncio.TaskGroup() as group:
            for number in range(streams):
                group.create_task(self.stream(number, steps))
        self._is_over = True


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> _Work:
    clock = _Clock()
    monkeypatch.setattr("realtime.fanout.turns.perf_counter", clock)
    return _Work(clock)


async def test_streams_that_never_wait_leave_a_part_of_each_turn_to_others(work: _Work) -> None:
    await work.run(streams=20, steps=100)
    assert work.done.total() == 20 * 100
    # One stream uses the share up; each of the others that go on has one step.
    assert max(work.by_turn) <= TURN_SECONDS / _STEP + 1 + WOKEN


async def test_no_stream_waits_while_the_turn_has_room(work: _Work) -> None:
    await work.run(streams=1, steps=5)
    assert max(work.by_turn) == 5


async def test_steps_that_take_more_than_the_share_go_one_a_turn_and_in_order(work: _Work) -> None:
    work.step_seconds = 2 * TURN_SECONDS
    await work.run(streams=10, steps=6)
    assert max(work.by_turn) == 1
    # The first stream had its first step at once.
    assert work.order[1:] == [*range(10)] * 5 + [*range(1, 10)]


async def test_streams_go_on_in_the_order_in_which_they_wait(work: _Work) -> None:
    work.enough = 400
    tasks = [asyncio.create_task(work.stream(number, 1_000)) for number in range(10)]
    async with deadline(_WAIT_UNITS):
        await work.is_under_way.wait()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert len(work.done) == 10
    assert max(work.done.values()) <= 6 * min(work.done.values())


async def test_cancelled_stream_holds_no_other_up(work: _Work) -> None:
    work.enough = 20
    tasks = [asyncio.create_task(work.stream(number, 50)) for number in range(12)]
    async with deadline(_WAIT_UNITS):
        await work.is_under_way.wait()
    for task in tasks[:10]:
        task.cancel()
    async with deadline(_WAIT_UNITS):
        await asyncio.wait(tasks)
    assert (work.done[10], work.done[11]) == (50, 50)


@pytest.mark.parametrize("iterations", range(8))
async def test_stream_that_begins_to_wait_while_another_is_cancelled_goes_on(work: _Work, iterations: int) -> None:
    async def cancel_and_wait(other: asyncio.Task[None]) -> None:
        for _ in range(iterations):
            await asyncio.sleep(0)
        other.cancel()
        await work.turns.later()

    first = asyncio.create_task(work.turns.later())
    second = asyncio.create_task(cancel_and_wait(first))
    async with deadline(_WAIT_UNITS):
        await asyncio.wait([first, second])
        # The cancelled one may have passed its turn on when that had ended: later ones must go on too.
        before = work.turns.number
        for _ in range(3):
            work.clock.now += 10 * TURN_SECONDS
            await work.turns.room()
    assert work.turns.number > before
    assert second.exception() is None


async def test_fault_while_turns_are_shared_lets_all_go_on(work: _Work, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(Turns, "_wake", fail)
    await work.run(streams=20, steps=100)
    assert work.done.total() == 20 * 100
