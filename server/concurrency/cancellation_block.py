"""Ending what a task waits for, from outside it and without a task of its own for the waiting."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

__all__ = ["CancellationBlock"]


class CancellationBlock:
    """A block of a task that `interrupt` ends: whoever waits in it is cancelled, and the task goes on behind it.

    As with `asyncio.timeout`, a cancellation of the task by anybody else, even at the same time, goes through.
    """

    __slots__ = ("_before", "_task", "is_called")

    def __init__(self) -> None:
        """Begin outside the block."""
        self._task: asyncio.Task[object] | None = None
        self._before = 0
        #: Whether the block was interrupted.
        self.is_called = False

    def interrupt(self, *_: object) -> None:
        """End the block, once; nothing outside it. Not for the task itself. A callback for whatever has arguments."""
        if self._task is not None and not self.is_called:
            self.is_called = True
            self._task.cancel()

    def __enter__(self) -> Self:
        """Begin the block."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("expected to be in a task")
        self._task, self._before, self.is_called = task, task.cancelling(), False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """End the block; True where its cancellation was ours."""
        task, self._task = self._task, None
        if task is None or not self.is_called:
            return False
        others = task.uncancel() - self._before
        return others <= 0 and isinstance(error, asyncio.CancelledError)
