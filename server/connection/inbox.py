"""The queue of received messages of a WebSocket: like `asyncio.Queue` for one consumer, in a tenth of the memory."""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["Inbox"]


class Inbox:
    """Messages in order. The connection stops reading while a message waits, so the queue stays short."""

    __slots__ = ("_messages", "_waiting")

    def __init__(self) -> None:
        """Begin empty."""
        self._messages: list[Any] = []
        self._waiting: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        """Add a message at the end, and wake the caller that waits. Its sender bounds the number of messages."""
        self._messages.append(message)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def filled(self) -> asyncio.Future[None]:
        """Return a future that completes when a message may have come. Only one caller may wait at a time.

        This is no coroutine function: the frame of a coroutine would stay in memory while the client is silent.
        """
        self._waiting = asyncio.get_running_loop().create_future()
        return self._waiting

    def get_nowait(self) -> Any:
        """Remove and return the oldest message; the queue must not be empty."""
        return self._messages.pop(0)

    def empty(self) -> bool:
        """Return whether no message waits."""
        return not self._messages
