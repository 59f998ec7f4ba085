"""Collects the cells of a test: how many were asked, and which were wrong."""

from __future__ import annotations

from tests.doors.rows import Row, Way
from tests.doors.stage import Stage
from tests.doors.tokens import Token

__all__ = ["Cells"]

_SHOWN = 40


class Cells:
    """The cells of one test."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._stored = 0
        self._wrong: list[str] = []
        self.count = 0

    def begin(self) -> None:
        """Note the number of events before a request."""
        self._stored = self._stage.events_stored

    async def note(self, row: Row, token: Token, way: Way, wanted: str, got: str) -> None:
        """Compare the outcome of a request, and whether it changed the boards; make them as they were."""
        self.count += 1
        grew = self._stage.events_stored != self._stored
        where = f"{row.name} / {token.name} / {way.name}"
        if got != wanted:
            self._wrong.append(f"{where}: expected {wanted!r}, got {got!r}")
        if grew and (wanted != row.granted or not row.changes):
            self._wrong.append(f"{where}: {got!r}, but an event was stored")
        if row.changes and got == row.granted:
            await self._stage.renew()

    def check(self, count: int) -> None:
        """Require that this many cells were asked, and that none was wrong."""
        assert self.count == count, "cells were left out"
        assert not self._wrong, "\n".join([f"{len(self._wrong)} of {count} cells", *self._wrong[:_SHOWN]])
