"""How far the writers are, for those whose turn comes at a certain step."""

from __future__ import annotations

import anyio

__all__ = ["Steps"]


class Steps:
    """Counts."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.count = 0
        self._awaited: dict[int, anyio.Event] = {}

    def done(self) -> None:
        """Count one more."""
        self.count += 1
        if self.count in self._awaited:
            self._awaited.pop(self.count).set()

    async def reached(self, count: int) -> None:
        """Return once there are so many."""
        if self.count < count:
            await self._awaited.setdefault(count, anyio.Event()).wait()
