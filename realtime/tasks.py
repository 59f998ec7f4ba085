"""Helpers for tasks whose callers may be gone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ["UndisturbedTasks", "end", "retrieve"]

_T = TypeVar("_T")


class UndisturbedTasks:
    """Changes that run to their end, even if their callers are cancelled."""

    def __init__(self) -> None:
        """Start without any."""
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, change: Coroutine[Any, Any, _T]) -> _T:
        """Return the result of `change`, or raise its exception."""
        task = asyncio.create_task(change)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(retrieve)
        return await asyncio.shield(task)

    async def finished(self) -> None:
        """Wait for the changes that run."""
        if self._tasks:
            await asyncio.wait(self._tasks)


def retrieve(task: asyncio.Task[Any]) -> None:
    """Retrieve the exception of `task`; a done callback for tasks whose waiters may all have left.

    A remaining waiter gets the exception nevertheless. Without this, asyncio would log it as never retrieved.
    """
    if not task.cancelled():
        task.exception()


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they end: in Python 3.11, `asyncio.wait_for` of the drivers loses some cancellations."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=1)
    for task in tasks:
        retrieve(task)
