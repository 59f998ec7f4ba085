"""Tasks whose waiters left: remaining waiters get their exception, and asyncio does not report it as unread."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from realtime.tasks import retrieve


async def _fail() -> None:
    raise KeyError("card")


async def _reports_of_forgotten_failure(*callbacks: Any) -> list[str]:
    reports: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reports.append(context["message"]))
    try:
        task = asyncio.create_task(_fail())
        for callback in callbacks:
            task.add_done_callback(callback)
        await asyncio.wait([task])
        del task
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    return reports


async def test_failure_that_nobody_waits_for_is_not_reported_as_forgotten() -> None:
    assert await _reports_of_forgotten_failure() == ["Task exception was never retrieved"]
    assert await _reports_of_forgotten_failure(retrieve) == []


async def test_waiter_gets_the_failure_all_the_same() -> None:
    task = asyncio.create_task(_fail())
    task.add_done_callback(retrieve)
    with pytest.raises(KeyError, match="card"):
        await task


async def test_cancelled_task_is_left_alone() -> None:
    task = asyncio.create_task(_fail())
    task.add_done_callback(retrieve)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
