"""Side tasks of a block: a failing task ends the block, others do not, and none remains."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from server.concurrency.side_tasks import SideTasks
from tests.kit.deadline import deadline


async def _fail() -> None:
    raise ValueError("a work")


async def _do(done: list[str]) -> None:
    done.append("it")


async def _two_that_fail(side_tasks: SideTasks) -> None:
    with side_tasks:
        side_tasks.start(_fail())
        side_tasks.start(_fail())
        await asyncio.Event().wait()


async def test_work_that_fails_ends_the_block_with_its_error() -> None:
    side_tasks = SideTasks()
    async with deadline(5):
        with pytest.raises(ValueError, match="a work"):
            await _two_that_fail(side_tasks)
        await side_tasks.aclose()
        await asyncio.sleep(0)


async def test_work_that_ends_disturbs_nobody() -> None:
    side_tasks, done = SideTasks(), list[str]()
    async with deadline(5):
        with side_tasks:
            side_tasks.start(_do(done))
            await anyio.wait_all_tasks_blocked()
        await side_tasks.aclose()
    assert done == ["it"]


async def test_closing_cancels_what_still_runs() -> None:
    side_tasks, waits = SideTasks(), asyncio.Event()
    ended = list[str]()

    async def work() -> None:
        try:
            await waits.wait()
        finally:
            ended.append("work")

    async with deadline(5):
        with side_tasks:
            side_tasks.start(work())
            await anyio.wait_all_tasks_blocked()
        await side_tasks.aclose()
    assert ended == ["work"]
