"""A clock for a server that the test controls: time stands still during a step, and moves between steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["MovingClock"]


class MovingClock:
    """Returns the same instant until `go_on`."""

    def __init__(self, start: datetime = datetime(2025, 6, 1, 12, 0, 0, 500_000, tzinfo=UTC)) -> None:
        """Begin at `start`."""
        self._now = start

    def __call__(self) -> datetime:
        """Return the time."""
        return self._now

    def go_on(self, milliseconds: int) -> None:
        """Advance the time."""
        self._now += timedelta(milliseconds=milliseconds)
