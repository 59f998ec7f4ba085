"""Wait until the other tasks of the event loop wait too."""

from __future__ import annotations

import asyncio

from anyio.lowlevel import checkpoint

__all__ = ["other_tasks_blocked"]


async def other_tasks_blocked() -> None:
    """Return when every other task waits for something. It looks once in each iteration of the loop.

    `anyio.wait_all_tasks_blocked` looks every 0.1 s, and a task of uvicorn wakes every 0.1 s. If the two timers once
    expire in the same iteration, they always do, and anyio's function finds that task ready each time: for ever.
    """
    this_task = asyncio.current_task()
    await checkpoint()
    while any(_is_ready(task) for task in asyncio.all_tasks() if task is not this_task):
        await checkpoint()


def _is_ready(task: asyncio.Task[object]) -> bool:
    waits_for = task._fut_waiter  # type: ignore[attr-defined]  # noqa: SLF001 - asyncio has no public way to ask
    return waits_for is None or waits_for.done()
