"""Interruptions: they end their block and nothing else, and hide no cancellation of somebody else."""

from __future__ import annotations

import asyncio
import contextlib

import anyio
import pytest

from server.interruption import Interruption
from tests.kit.deadline import deadline


async def _interrupted(interruption: Interruption) -> str:
    with interruption:
        await asyncio.Event().wait()
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0
    await asyncio.sleep(0)  # nothing is left that could be raised here
    return "behind it"


async def test_interruption_ends_the_block_and_the_task_goes_on() -> None:
    interruption = Interruption()
    task = asyncio.create_task(_interrupted(interruption))
    await anyio.wait_all_tasks_blocked()
    interruption.interrupt()
    interruption.interrupt()
    async with deadline(5):
        assert await task == "behind it"
    assert interruption.is_called


async def test_cancellation_at_the_same_time_goes_through() -> None:
    for first in ("interrupt", "cancel"):
        interruption = Interruption()
        task = asyncio.create_task(_interrupted(interruption))
        await anyio.wait_all_tasks_blocked()
        for call in ("interrupt", "cancel") if first == "interrupt" else ("cancel", "interrupt"):
            getattr(interruption if call == "interrupt" else task, call)()
        async with deadline(5):
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_interruption_outside_the_block_does_nothing() -> None:
    interruption = Interruption()
    interruption.interrupt()
    async with deadline(5):
        with interruption:
            await asyncio.sleep(0)
        interruption.interrupt()
        await asyncio.sleep(0)
    assert not interruption.is_called


async def test_deadline_in_the_block_that_passes_at_the_same_time_is_ended_too() -> None:
    interruption = Interruption()

    async def waits() -> str:
        with interruption:
            async with asyncio.timeout(0):
                asyncio.get_running_loop().call_soon(interruption.interrupt)
                await asyncio.Event().wait()
        return "behind it"

    async with deadline(5):
        with contextlib.suppress(TimeoutError):  # which may come first
            assert await waits() == "behind it"
        await asyncio.sleep(0)
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0
