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
#: 110. With the default, opening 1,000 sockets spent half of the CPU time in the collector. It paused for tens of
#: milliseconds, and during a pause no subscriber is served.
YOUNGEST = 10_000
#: Collections of the youngest generation before the middle one is collected, and of the middle one before the oldest
#: (Python's default for both is 10). A collection of the middle generation looks at up to `MIDDLE` × `YOUNGEST`
#: containers, and nobody runs meanwhile. With 10 it took up to 37 ms under the fuzzer (measured).
MIDDLE, OLDEST = 2, 50
#: Seconds after which a thread that waits for the interpreter lock asks for it (Python's default: 0.005). With 0.0001,
#: the database thread and the event loop woke each other up three times for each single event: a fifth of the CPU time.
SWITCH_SECONDS = 0.0005
#: A parameter of `mallopt` (malloc.h of glibc), and its value: an object of this size or larger gets its own mapping,
#: which is returned to the system when the object is freed. By default glibc raises this size up to 32 MiB over time.
M_MMAP_THRESHOLD, MAPPED_BYTES = -3, 128 * 1024
#: Free memory of one arena cannot serve another. The default is eight arenas for each core, so each of our threads
#: would get its own.
M_ARENA_MAX, ARENAS = -8, 2
#: Seconds between two returns of free memory. A return takes some milliseconds in a thread.
PAUSE_SECONDS = 5.0


def tune_gc() -> None:
    """Exclude the objects that exist now (modules and schema) from later collections, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, MIDDLE, OLDEST)


def set_switch_interval() -> None:
    """Let the database threads get the interpreter lock while the event loop serves many subscribers.

    A waiting thread requests the lock after one interval without a switch. The loop releases the lock for a moment in
    each iteration, and takes it back before the thread has woken up. When iterations are shorter than the interval, the
    thread never requests the lock: it waited for 20 ms each time (measured).
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def tune_malloc() -> None:
    """Make glibc return the memory of large objects at once; with another C library this does nothing.

    Call it before any thread starts. Without it, a minute of the fuzzer left 160 MiB of free memory (measured).
    """
    mallopt: Callable[[int, int], int] | None = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES)
        mallopt(M_ARENA_MAX, ARENAS)


@asynccontextmanager
async def giving_memory_back(pause_seconds: float = PAUSE_SECONDS) -> AsyncIterator[None]:
    """Return free memory to the system every `pause_seconds` while the block runs.

    The C library keeps freed memory for reuse, in one arena for each thread. After a burst of large requests this is a
    hundred megabytes or more, which looks like a leak. `malloc_trim` is a function of glibc, and is called without the
    interpreter lock. With another C library nothing happens.
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
