"""Threads for computations that are too long for the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["compressing", "computed"]

_T = TypeVar("_T")
# One thread for all: with more threads the event loop would get the interpreter lock less often, at no gain in speed.
_thread = ThreadPoolExecutor(1, thread_name_prefix="computing")
# zlib works without the interpreter lock, so it need not wait for the other thread.
_compressing_thread = ThreadPoolExecutor(1, thread_name_prefix="compressing")


async def computed(work: Callable[[], _T]) -> _T:
    """Call `work` in the thread, after the earlier calls, and return its result or raise its error."""
    return await asyncio.get_running_loop().run_in_executor(_thread, work)


def compressing(work: Callable[[], _T]) -> asyncio.Future[_T]:
    """Call `work`, which compresses, in a thread after the earlier calls; return the future of its result."""
    return asyncio.get_running_loop().run_in_executor(_compressing_thread, work)
