"""What tasks owe when nobody waits for them any more."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["retrieve"]


def retrieve(task: asyncio.Task[Any]) -> None:
    """Take note of how `task` ended; a callback for tasks whose every waiter may have left by then.

    Whoever still waits gets the exception all the same; without this asyncio would report it as never retrieved.
    """
    if not task.cancelled():
        task.exception()
