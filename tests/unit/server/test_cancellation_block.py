"""Cancellation blocks: `interrupt` ends only its block, and hides no other cancellation."""

from __future__ import annotations

import asyncio
import contextlib

import anyio
import pytest

from server.concurrency.cancellation_block import CancellationBlock
from tests.kit.deadline import deadline


async def _interrupted(block: CancellationBlock) -> str:
    with block:
        await asyncio.Event().wait()
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0
    await asyncio.sleep(0)  # nothing is left that could be raised here
    return "behind it"


async def test_interrupt_ends_the_block_and_the_task_goes_on() -> None:
    block = CancellationBlock()
    task = asyncio.create_task(_interrupted(block))
    await anyio.wait_all_tasks_blocked()
    block.interrupt()
    block.interrupt()
    async with deadline(5):
        assert await task == "behind it"
    assert block.is_called


async def test_cancellation_at_the_same_time_goes_through() -> None:
    for first in ("interrupt", "cancel"):
        block = CancellationBlock()
        task = asyncio.create_task(_interrupted(block))
        await anyio.wait_all_tasks_blocked()
        for call in ("interrupt", "cancel") if first == "interrupt" else ("cancel", "interrupt"):
            getattr(block if call == "interrupt" else task, call)()
        async with deadline(5):
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_interrupt_outside_the_block_does_nothing() -> None:
    block = CancellationBlock()
    block.interrupt()
    async with deadline(5):
        with block:
            await asyncio.sleep(0)
        block.interrupt()
        await asyncio.sleep(0)
    assert not block.is_called


async def test_deadline_in_the_block_that_passes_at_the_same_time_is_ended_too() -> None:
    block = CancellationBlock()

    async def waits() -> str:
        with block:
            async with asyncio.timeout(0):
                asyncio.get_running_loop().call_soon(block.interrupt)
                await asyncio.Event().wait()
        return "behind it"

    async with deadline(5):
        with contextlib.suppress(TimeoutError):  # it may come first
            assert await waits() == "behind it"
        await asyncio.sleep(0)
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0
