"""The time of day, as a thing that can be frozen; and the one form in which times travel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

__all__ = ["Clock", "frozen_clock", "iso", "parse_iso", "system_clock"]

#: Returns the current instant: aware, UTC, whole milliseconds (what fits on the wire).
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return now, in UTC, cut to milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def frozen_clock(instant: datetime) -> Clock:
    """Return a clock that always says `instant` (tests; `BOARDCAST_CLOCK`)."""
    return lambda: instant


# A move gives one time to every card it displaces.
@lru_cache(1024)
def iso(instant: datetime) -> str:
    """Format as ISO 8601 with milliseconds and `Z` (contract §1)."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# A time is read when its event comes in, when it is placed and when its row is made; a batch has at most 1,000 events.
@lru_cache(4096)
def parse_iso(text: str) -> datetime:
    """Parse an ISO 8601 instant with an offset or `Z` into UTC milliseconds.

    Raises:
        ValueError: not ISO 8601, no such day, or no offset.
    """
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("expected an ISO 8601 time with an offset, like 2025-01-02T03:04:05.678Z") from None
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
