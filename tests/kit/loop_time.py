"""The time of the event loop, which a test moves forward, so that timers are due without a wait."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

__all__ = ["LoopTime"]

#: Turns of the event loop after a step: enough for a timer that starts another one, and for the tasks that they wake.
_TURNS = 10


class LoopTime:
    """The clock of the running event loop, and one of the same speed for dates."""

    def __init__(self, patch: pytest.MonkeyPatch, start: datetime = datetime(2025, 6, 1, 12, tzinfo=UTC)) -> None:
        """Stop the clock; from now on only `go_on` moves it. It is `start`."""
        loop = asyncio.get_running_loop()
        self._began = self._seconds = loop.time()
        self._start = start
        patch.setattr(loop, "time", lambda: self._seconds)

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return self._seconds - self._began

    def __call__(self) -> datetime:
        """Return the time as a date."""
        return self._start + timedelta(seconds=self.passed)

    async def go_on(self, seconds: float) -> None:
        """Move the clock forward, and let timers and tasks run."""
        self._seconds += seconds
        for _ in range(_TURNS):
            await asyncio.sleep(0)
