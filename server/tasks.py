"""Running things together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

__all__ = ["first_to_end"]


async def first_to_end(*works: Coroutine[Any, Any, Any]) -> None:
    """Run `works` together until the first of them ends, cancel the others and wait for them.

    Raises what the first raised; of several that ended at once, the first in the given order.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
