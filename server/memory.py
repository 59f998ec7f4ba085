"""Gives memory back to the system.

The C library keeps what was freed for its next use, in an arena for each thread. After a burst of large requests that
were a hundred megabytes or more, which an operator takes for a leak.
"""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

__all__ = ["giving_memory_back"]

#: Seconds between two times; one takes some milliseconds, in a thread.
PAUSE_SECONDS = 30.0


@asynccontextmanager
async def giving_memory_back(pause_seconds: float = PAUSE_SECONDS) -> AsyncIterator[None]:
    """Return free memory to the system now and then, for the length of the block; nothing where the C library cannot.

    `malloc_trim` is of glibc; it is called without Python's lock.
    """
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    task = asyncio.create_task(_trim_again(trim, pause_seconds), name="memory") if trim is not None else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _trim_again(trim: Callable[[int], int], pause_seconds: float) -> None:
    while True:
        await asyncio.sleep(pause_seconds)
        await asyncio.to_thread(trim, 0)
