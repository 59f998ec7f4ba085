"""Helpers for tasks whose callers may be gone."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["retrieve"]


def retrieve(task: asyncio.Task[Any]) -> None:
    """Retrieve the exception of `task`; a done callback for tasks whose waiters may all have left.

    A remaining waiter gets the exception nevertheless. Without this, asyncio would log it as never retrieved.
    """
    if not task.cancelled():
        task.exception()
