"""The time of day, as a thing that can be frozen; and the one form in which times travel."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = ["Clock", "frozen_clock", "iso", "parse_iso", "system_clock"]

#: Characters of the longest time that RFC 3339 and docs/ingest.md allow: 9 digits of fraction and an offset.
MAX_CHARS = len("2025-01-02T03:04:05.123456789+00:00")
#: Digits are those of ASCII. Some of it is narrower than `datetime.fromisoformat`, which takes weeks, blanks and more.
_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]((?:[01][0-9]|2[0-3]):[0-5][0-9]):([0-5][0-9]|60)(?:\.([0-9]{1,9}))?"
    r"([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_EXPECTED = "expected an RFC 3339 time with an offset, like 2025-01-02T03:04:05.678Z"

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
    """Format as ISO 8601 with milliseconds and `Z` (docs/protocol.md, "Envelopes")."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: object) -> datetime:
    """Parse an instant as RFC 3339 writes it (docs/ingest.md) into UTC milliseconds; smaller parts are cut off.

    `t` and `z` may be lower case (RFC 3339 §5.6). A leap second, the last of a month in UTC, is the second behind it.

    Raises:
        ValueError: another form of ISO 8601, no such day, no offset, more than 9 digits of fraction, or an instant
            outside of the years 1 to 9999 in UTC.
    """
    # Before anything looks at it or keeps it: so the work and the cache have bounds in bytes.
    if not isinstance(text, str) or len(text) > MAX_CHARS:
        raise ValueError(_EXPECTED)
    return _parsed(text)


# A time is read when its event comes in, when it is placed and when its row is made; a batch has at most 1,000 events.
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
