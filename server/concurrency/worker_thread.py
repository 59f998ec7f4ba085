"""A thread for computations that are too long for the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["computed"]

_T = TypeVar("_T")
# One, for all: with more of them the event loop would get the interpreter lock less often, and none would be faster.
_thread = ThreadPoolExecutor(1, thread_name_prefix="computing")


async def computed(work: Callable[[], _T]) -> _T:
    """Return `work()`, called in the thread after those that came first; exceptions of `work` are raised here."""
    return await asyncio.get_running_loop().run_in_executor(_thread, work)
