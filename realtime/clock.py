"""The time of day, with a clock that can be frozen, and the one text form of times on the wire."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = ["Clock", "frozen_clock", "iso", "parse_iso", "system_clock"]

#: Characters of the longest time that RFC 3339 and docs/ingest.md allow: 9 digits of fraction and an offset.
MAX_CHARS = len("2025-01-02T03:04:05.123456789+00:00")
#: Only ASCII digits match. `datetime.fromisoformat` alone would accept more, such as weeks and blanks.
_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]((?:[01][0-9]|2[0-3]):[0-5][0-9]):([0-5][0-9]|60)(?:\.([0-9]{1,9}))?"
    r"([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_EXPECTED = "expected an RFC 3339 time with an offset, like 2025-01-02T03:04:05.678Z"

#: Returns the current time: aware, in UTC, in whole milliseconds, as on the wire.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the current time in UTC, cut to milliseconds."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def frozen_clock(instant: datetime) -> Clock:
    """Return a clock that always returns `instant` (tests; `BOARDCAST_CLOCK`)."""
    return lambda: instant


# Cached, because a move gives the same time to every card that it displaces.
@lru_cache(1024)
def iso(instant: datetime) -> str:
    """Format as ISO 8601 with milliseconds and `Z` (docs/protocol.md, "Envelopes")."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: object) -> datetime:
    """Parse an RFC 3339 time (docs/ingest.md) into UTC, cut to milliseconds.

    `t` and `z` may be lower case (RFC 3339 §5.6). A leap second, at the end of a month in UTC, becomes the next second.

    Raises:
        ValueError: the text has another form of ISO 8601, no such day, no offset, or more than 9 digits of fraction; or
            the time is outside of the years 1 to 9999 in UTC.
    """
    # Checked before parsing and caching, so that both are bounded in bytes.
    if not isinstance(text, str) or len(text) > MAX_CHARS:
        raise ValueError(_EXPECTED)
    return _parsed(text)


# An event's time is parsed when the event comes in, when it is recorded and for its row. A batch has at most 1,000.
@lru_cache(4096)
def _parsed(text: str) -> datetime:
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise ValueError(_EXPECTED)
    date, time, second, fraction, offset = found.groups()
    leaps = second == "60"
    written = f"{date}T{time}:{'59' if leaps else second}.{(fraction or '')[:3]:0<3}{offset.upper()}"
    try:
        instant = datetime.fromisoformat(written).astimezone(UTC)
        return _after_leap(instant) if leaps else instant
    except (ValueError, OverflowError):
        raise ValueError(_EXPECTED) from None


def _after_leap(instant: datetime) -> datetime:
    """Return the instant one second later, which must begin a month (RFC 3339 §5.7)."""
    later = instant + timedelta(seconds=1)
    if (later.day, later.hour, later.minute, later.second) != (1, 0, 0, 0):
        raise ValueError
    return later
