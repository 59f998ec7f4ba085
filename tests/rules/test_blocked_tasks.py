"""The wait for other tasks: it ends when they wait, also beside a task whose timer expires when anyio's own does."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from tests.kit.blocked_tasks import other_tasks_blocked
from tests.kit.deadline import deadline

#: The seconds between two looks of `anyio.wait_all_tasks_blocked`, and between two ticks of uvicorn.
_PERIOD = 0.1


class _Ticks:
    """Wakes a task in the iteration in which another timer of the same period expires, behind that one."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.time()

    def wait(self) -> asyncio.Future[None]:
        """Return what is done at the next tick."""
        self._next += _PERIOD
        tick: asyncio.Future[None] = self._loop.create_future()
        self._loop.call_at(self._next, tick.set_result, None)
        return tick


async def _tick_for_ever() -> None:
    ticks = _Ticks()
    while True:
        await ticks.wait()


async def test_it_returns_beside_a_task_that_wakes_periodically() -> None:
    async with anyio.create_task_group() as group, deadline(10):
        group.start_soon(_tick_for_ever)
        ended = 0
        for _ in range(5):
            await other_tasks_blocked()
            ended += 1
        group.cancel_scope.cancel()
    assert ended == 5


async def test_it_waits_for_a_task_that_is_ready() -> None:
    steps: list[int] = []

    async def work() -> None:
        for step in range(5):
            steps.append(step)
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group, deadline(10):
        group.start_soon(work)
        await other_tasks_blocked()
        assert steps == [0, 1, 2, 3, 4]


async def test_a_task_that_is_always_ready_is_a_timeout() -> None:
    async def spin() -> None:
        while True:
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(spin)
        with pytest.raises(TimeoutError):
            async with deadline(0.05):
                await other_tasks_blocked()
        group.cancel_scope.cancel()
