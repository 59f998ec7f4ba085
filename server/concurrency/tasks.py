"""Running things together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from server.concurrency.cancellation_block import CancellationBlock

__all__ = ["first_to_end", "unless"]

_T = TypeVar("_T")


async def first_to_end(own: Coroutine[Any, Any, Any], *beside: Coroutine[Any, Any, Any]) -> None:
    """Run all together until the first of them ends, cancel the others and wait for them.

    `own` runs in the task of the caller: each task is a kilobyte, of each open connection. Raises what the first
    raised; of several that ended at once, the first in the given order.
    """
    tasks = [asyncio.create_task(work) for work in beside]
    block = CancellationBlock()
    for task in tasks:
        task.add_done_callback(block.interrupt)
    try:
        with block:
            await own
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()


async def unless(event: Coroutine[Any, Any, Any], work: Coroutine[Any, Any, _T]) -> _T | None:
    """Return what `work` returns, None when `event` ends first; then `work` is cancelled and has ended.

    Raises what `work` raises.
    """
    working, waiting = asyncio.ensure_future(work), asyncio.ensure_future(event)
    try:
        await asyncio.wait([working, waiting], return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, waiting):
            task.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)
