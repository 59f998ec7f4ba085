"""What waits for a WebSocket's application: an `asyncio.Queue` for one reader, in a tenth of the memory."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["Inbox"]


class Inbox:
    """Messages in order. uvicorn stops reading from the client while one waits, so they are few."""

    __slots__ = ("_messages", "_waiting")

    def __init__(self) -> None:
        """Begin empty."""
        self._messages: list[Any] = []
        self._waiting: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        """Add a message."""
        self._messages.append(message)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def filled(self) -> asyncio.Future[None]:
        """Return what is done when there may be a message; for one who waits at a time.

        No coroutine, for its frame would be there as long as the client says nothing.
        """
        self._waiting = asyncio.get_running_loop().create_future()
        return self._waiting

    def get_nowait(self) -> Any:
        """Take the oldest message; there must be one."""
        return self._messages.pop(0)

    def empty(self) -> bool:
        """Tell whether none waits."""
        return not self._messages
