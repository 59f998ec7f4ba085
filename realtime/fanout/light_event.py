"""An `asyncio.Event` that allocates nothing before a task waits for it.

Each subscriber has several events, and tasks seldom wait for them. An `asyncio.Event` allocates a queue of 700 bytes at
once: the events of one subscriber were a tenth of its memory.
"""

from __future__ import annotations

import asyncio

__all__ = ["LightEvent"]

_NO_WAITERS: list[asyncio.Future[None]] = []


class LightEvent:
    """Has the methods of `asyncio.Event`."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        """Begin unset."""
        self._is_set = False
        self._waiting: list[asyncio.Future[None]] = _NO_WAITERS

    def is_set(self) -> bool:
        """Return whether the event is set."""
        return self._is_set

    def set(self) -> None:
        """Set the event; every waiting task goes on, even if the event is cleared again at once."""
        self._is_set = True
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def clear(self) -> None:
        """Reset the event."""
        self._is_set = False

    async def wait(self) -> bool:
        """Wait until the event is set, and return True."""
        if not self._is_set:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting = [*self._waiting, waiting]
            try:
                await waiting
            finally:
                self._waiting = [one for one in self._waiting if one is not waiting] or _NO_WAITERS
        return True
