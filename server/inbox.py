"""What waits for a WebSocket's application: an `asyncio.Queue` for one reader, in a tenth of the memory."""

from __future__ import annotations

from typing import Any

from realtime.gate import Gate

__all__ = ["Inbox"]


class Inbox:
    """Messages in order. uvicorn stops reading from the client while one waits, so they are few."""

    __slots__ = ("_filled", "_messages")

    def __init__(self) -> None:
        """Begin empty."""
        self._messages: list[Any] = []
        self._filled = Gate()

    def put_nowait(self, message: Any) -> None:
        """Add a message."""
        self._messages.append(message)
        self._filled.set()

    async def get(self) -> Any:
        """Take the oldest message, waiting for one."""
        while not self._messages:
            self._filled.clear()
            await self._filled.wait()
        return self._messages.pop(0)

    def empty(self) -> bool:
        """Tell whether none waits."""
        return not self._messages
