"""A thread for computations that are too long for the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["computed"]

_T = TypeVar("_T")
# One thread for all: with more threads the event loop would get the interpreter lock less often, at no gain in speed.
_thread = ThreadPoolExecutor(1, thread_name_prefix="computing")


async def computed(work: Callable[[], _T]) -> _T:
    """Call `work` in the thread, after the earlier calls, and return its result or raise its error."""
    return await asyncio.get_running_loop().run_in_executor(_thread, work)
