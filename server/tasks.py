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
    first: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ends(_: object) -> None:
        if not first.done():
            first.set_result(None)

    for task in tasks:
        task.add_done_callback(ends)
    try:
        # Not `asyncio.wait`, of which each open connection would hold another 1 KiB.
        await first
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
