"""Interrupts a block of a task from outside, without a second task for the wait."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

__all__ = ["CancellationBlock"]


class CancellationBlock:
    """A `with` block that `interrupt` ends: the wait inside it is cancelled, and the task continues after the block.

    As with `asyncio.timeout`, a cancellation of the task by another caller, even at the same time, is not swallowed.
    """

    __slots__ = ("_before", "_task", "is_called")

    def __init__(self) -> None:
        """Begin outside the block."""
        self._task: asyncio.Task[object] | None = None
        self._before = 0
        #: Whether the block was interrupted.
        self.is_called = False

    def interrupt(self, *_: object) -> None:
        """End the block. Further calls, and calls outside the block, do nothing.

        The task itself must not call this. All arguments are ignored, so it can be a callback.
        """
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
        """End the block; True = `interrupt` cancelled it, so the cancellation is not raised."""
        task, self._task = self._task, None
        if task is None or not self.is_called:
            return False
        others = task.uncancel() - self._before
        return others <= 0 and isinstance(error, asyncio.CancelledError)
