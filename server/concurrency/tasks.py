"""Runs coroutines at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

from server.concurrency.cancellation_block import CancellationBlock

__all__ = ["first_to_end", "unless"]

_T = TypeVar("_T")


async def first_to_end(own: Coroutine[Any, Any, Any], *others: Coroutine[Any, Any, Any]) -> None:
    """Run all at the same time until the first of them ends; then cancel the rest and wait for them.

    `own` runs in the caller's task, because each further task of an open connection costs a kilobyte. Raises the error
    of the first to end; when several end at once, the first error in the given order.
    """
    tasks = [asyncio.create_task(work) for work in others]
    block = CancellationBlock()
    _call_at_end(tasks, block.interrupt)
    try:
        with block:
            await own
    finally:
        ended = [task for task in tasks if task.done()]
        await _cancelled(tasks)
        tasks.clear()
    # Nothing here may hold a task with an error: the error refers to this frame, and would stay until the next garbage
    # collection, with everything that the frames of its traceback hold.
    while ended:
        ended.pop(0).result()


async def unless(event: Coroutine[Any, Any, Any], work: Coroutine[Any, Any, _T]) -> _T | None:
    """Return the result of `work`; None = `event` ended first, and `work` was cancelled and has ended.

    Raises the error of `work`.
    """
    working, waiting = asyncio.ensure_future(work), asyncio.ensure_future(event)
    try:
        await asyncio.wait([working, waiting], return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        await _cancelled([working, waiting])
        del working  # its error refers to this frame


def _call_at_end(tasks: Iterable[asyncio.Task[Any]], call: Callable[[asyncio.Task[Any]], object]) -> None:
    for task in tasks:
        task.add_done_callback(call)


async def _cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks, and return when they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
