"""How far others are, for those whose turn comes at a certain step."""

from __future__ import annotations

import anyio

__all__ = ["Steps"]


class Steps:
    """Counts."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._count = 0
        self._is_over = False
        self._awaited: dict[int, anyio.Event] = {}

    def done(self) -> None:
        """Count one more."""
        self._count += 1
        if self._count in self._awaited:
            self._awaited.pop(self._count).set()

    def over(self) -> None:
        """Say that no step will follow; nobody waits any more."""
        self._is_over = True
        for awaited in self._awaited.values():
            awaited.set()

    async def reached(self, count: int) -> None:
        """Return once there are so many, or no more to come."""
        if self._count < count and not self._is_over:
            await self._awaited.setdefault(count, anyio.Event()).wait()
