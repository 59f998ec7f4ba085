"""Side tasks of a main task, started while it runs; a side task that fails ends the main task's block."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Literal

from server.concurrency.cancellation_block import CancellationBlock

__all__ = ["SideTasks"]


class SideTasks(CancellationBlock):
    """A `with` block that ends with the error of the first side task that fails; call `aclose` afterwards."""

    __slots__ = ("_fault", "_tasks")

    def __init__(self) -> None:
        """Begin without side tasks."""
        super().__init__()
        self._tasks: set[asyncio.Task[None]] | None = None
        self._fault: BaseException | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` as a side task."""
        task = asyncio.create_task(work)
        self._tasks = {task, *(self._tasks or ())}
        task.add_done_callback(self._ended)

    async def aclose(self) -> None:
        """Cancel the side tasks that still run, and wait for them."""
        tasks = list(self._tasks or ())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        """End the block; raise the error of the side task that ended it."""
        fault, self._fault = self._fault, None
        if super().__exit__(kind, error, traceback) and fault is not None:
            raise fault
        return False

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks = {other for other in self._tasks or () if other is not task} or None
        fault = None if task.cancelled() else task.exception()
        if fault is not None and self._fault is None:
            self._fault = fault
            self.interrupt()
