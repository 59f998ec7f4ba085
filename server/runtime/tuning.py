"""Tuning of the interpreter for one process with many connections: garbage collector, threads, free memory."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

__all__ = ["giving_memory_back", "set_switch_interval", "tune_gc", "tune_malloc"]

#: New containers after which the youngest generation is collected (Python's default is 700). A connection has about
#: 110. With the default, half of the CPU time in which 1,000 sockets were opened went to the collector, in pauses of
#: tens of milliseconds in which no subscriber is served.
YOUNGEST = 10_000
#: Collections of one generation before the next older one is collected, as by default.
MIDDLE = OLDEST = 10
#: Seconds after which a thread that waits for the interpreter lock asks for it (Python's default is 0.005).
SWITCH_SECONDS = 0.0001
#: Parameters of `mallopt` (malloc.h of glibc), and their values: memory for an object of that size is mapped for it
#: alone, and returned with it. By default glibc raises the size up to 32 MiB when such an object is freed.
M_MMAP_THRESHOLD, MAPPED_BYTES = -3, 128 * 1024
#: Arenas share less the more there are of them; the default is eight for each core, one for each thread of ours.
M_ARENA_MAX, ARENAS = -8, 2
#: Seconds between two times that free memory is returned; one takes some milliseconds, in a thread.
PAUSE_SECONDS = 5.0


def tune_gc() -> None:
    """Exclude modules and schema, which are there now, from later collections, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, MIDDLE, OLDEST)


def set_switch_interval() -> None:
    """Let the database threads have the interpreter lock while the event loop serves many subscribers.

    A waiting thread asks for the lock after one interval without a switch. The loop releases it for a moment in each
    of its turns and has it back before the thread has woken up. With turns that are shorter than the interval the
    thread never asks, and it waited for 20 ms each time.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def tune_malloc() -> None:
    """Have the C library return the memory of large objects at once; nothing where it is not glibc.

    Before threads are started. A minute of the fuzzer left 160 MiB of free memory behind without this (measured).
    """
    mallopt: Callable[[int, int], int] | None = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES)
        mallopt(M_ARENA_MAX, ARENAS)


@asynccontextmanager
async def giving_memory_back(pause_seconds: float = PAUSE_SECONDS) -> AsyncIterator[None]:
    """Return free memory to the system every `pause_seconds`, for the length of the block.

    The C library keeps freed memory for its next use, in one arena for each thread: a hundred megabytes or more after
    a burst of large requests, which looks like a leak. `malloc_trim` is a function of glibc, and is called without the
    interpreter lock; where the C library does not have it, nothing happens.
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
