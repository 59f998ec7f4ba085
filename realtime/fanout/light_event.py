"""A gate that tasks wait at. `asyncio.Event` with nothing made before somebody waits.

Each reader has several, at which hardly anybody ever waits; the queue that an `asyncio.Event` is born with takes 700
bytes, so those of one reader were a tenth of its memory.
"""

from __future__ import annotations

import asyncio

__all__ = ["LightEvent"]

_NOBODY: list[asyncio.Future[None]] = []


class LightEvent:
    """Closed until `set`; as an `asyncio.Event` is."""

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        """Begin closed."""
        self._is_set = False
        self._waiting: list[asyncio.Future[None]] = _NOBODY

    def is_set(self) -> bool:
        """Tell whether it is open."""
        return self._is_set

    def set(self) -> None:
        """Open it; who waits goes on, even if it is closed again at once."""
        self._is_set = True
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def clear(self) -> None:
        """Close it."""
        self._is_set = False

    async def wait(self) -> bool:
        """Return, with True, once it is open."""
        if not self._is_set:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting = [*self._waiting, waiting]
            try:
                await waiting
            finally:
                self._waiting = [one for one in self._waiting if one is not waiting] or _NOBODY
        return True
