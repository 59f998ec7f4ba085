"""A counter of steps, for tasks that wait until a given step."""

from __future__ import annotations

import anyio

__all__ = ["Steps"]


class Steps:
    """Counts steps."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._count = 0
        self._is_over = False
        self._awaited: dict[int, anyio.Event] = {}

    @property
    def count(self) -> int:
        """The number of steps that are done."""
        return self._count

    def done(self) -> None:
        """Count one more."""
        self._count += 1
        if self._count in self._awaited:
            self._awaited.pop(self._count).set()

    def over(self) -> None:
        """Declare that no step will follow; all waiting tasks continue."""
        self._is_over = True
        for awaited in self._awaited.values():
            awaited.set()

    async def reached(self, count: int) -> None:
        """Return when this many steps are done, or when no more will come."""
        if self._count < count and not self._is_over:
            await self._awaited.setdefault(count, anyio.Event()).wait()
