"""Works that begin beside what a task does, when something happens, and are in its way only when they fail."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Literal

from server.concurrency.cancellation_block import CancellationBlock

__all__ = ["SideTasks"]


class SideTasks(CancellationBlock):
    """A block of a task, which ends with the error of the first work beside it that fails; `aclose` it afterwards."""

    __slots__ = ("_fault", "_works")

    def __init__(self) -> None:
        """Begin without works."""
        super().__init__()
        self._works: set[asyncio.Task[None]] | None = None
        self._fault: BaseException | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work`."""
        task = asyncio.create_task(work)
        self._works = {task, *(self._works or ())}
        task.add_done_callback(self._ended)

    async def aclose(self) -> None:
        """Cancel the works that still run, and wait for them."""
        works = list(self._works or ())
        for task in works:
            task.cancel()
        if works:
            await asyncio.wait(works)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        """End the block, with what has ended it."""
        fault, self._fault = self._fault, None
        if super().__exit__(kind, error, traceback) and fault is not None:
            raise fault
        return False

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._works = {work for work in self._works or () if work is not task} or None
        fault = None if task.cancelled() else task.exception()
        if fault is not None and self._fault is None:
            self._fault = fault
            self.interrupt()
