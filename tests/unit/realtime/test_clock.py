"""The clock, and the only form of times on the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import frozen_clock, iso, parse_iso, system_clock

_INSTANTS = st.datetimes(timezones=st.just(UTC)).map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))


@given(_INSTANTS)
def test_iso_and_parse_iso_are_inverse(instant: datetime) -> None:
    assert parse_iso(iso(instant)) == instant
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", iso(instant))


@given(_INSTANTS, st.integers(-14 * 60, 14 * 60))
def test_iso_is_utc_whatever_the_offset(instant: datetime, minutes: int) -> None:
    try:
        elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes)))
    except OverflowError:
        return
    assert iso(elsewhere) == iso(instant)
    assert parse_iso(elsewhere.isoformat()) == instant


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2025-01-02T03:04:05Z", "2025-01-02T03:04:05.000Z"),
        ("2025-01-02T03:04:05.6789Z", "2025-01-02T03:04:05.678Z"),
        ("2025-01-02T03:04:05.999999+00:00", "2025-01-02T03:04:05.999Z"),
        ("2025-01-02T03:04:05.123456789+00:00", "2025-01-02T03:04:05.123Z"),
        ("2025-01-02T03:04:05.5-00:00", "2025-01-02T03:04:05.500Z"),
        ("2025-01-02t03:04:05z", "2025-01-02T03:04:05.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        # RFC 3339 §5.7: a leap second is the last one of a month, in UTC.
        ("1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000Z"),
        ("1990-12-31T15:59:60.5-08:00", "1991-01-01T00:00:00.500Z"),
        ("2025-01-02T03:04:05.678+05:30", "2025-01-01T21:34:05.678Z"),
        ("2024-02-29T00:00:00-01:00", "2024-02-29T01:00:00.000Z"),
    ],
)
def test_time_with_offset_becomes_utc_milliseconds(text: str, same: str) -> None:
    assert iso(parse_iso(text)) == same


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "1735787045",
        "2025-01-02",
        "2025-01-02T03:04:05",
        "2025-02-30T00:00:00Z",
        "2025-01-02T25:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:59:59-10:00",
        "9999-12-31T23:59:60Z",
        "0000-01-01T00:00:00Z",
        # ISO 8601, but not RFC 3339.
        "2026-W01-1T00:00:00Z",
        "20260101T000000Z",
        "2026-001T00:00:00Z",
        "2026-01-01 10:00:00Z",
        "2026-01-01T10:00Z",
        "2026-01-01T10Z",
        "2026-01-01T10:00:00,5Z",
        "2026-01-01T10:00:00+0530",
        "2026-01-01T10:00:00+05",
        "+002026-01-01T10:00:00Z",
        # Fields out of range.
        "2026-01-01T24:00:00Z",
        "2026-01-01T10:00:60Z",
        "2026-01-01T23:59:61Z",
        "2026-12-30T23:59:60Z",
        "2026-01-01T10:00:00+24:00",
        "2026-01-01T10:00:00+05:60",
        # Fractions, non-ASCII digits, and surrounding text.
        "2026-01-01T10:00:00.Z",
        "2026-01-01T10:00:00.1234567890Z",
        "2026-01-01T10:00:00." + "1" * 900_000 + "Z",
        "２０２６-01-01T10:00:00Z",
        "2026-01-01T10:00:00Z\n",
        " 2026-01-01T10:00:00Z",
        # Not text.
        1735787045,
        1735787045.5,
        True,
        None,
    ],
)
def test_invalid_instant_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected an RFC 3339 time with an offset"):
        parse_iso(text)


def test_system_clock_says_utc_in_whole_milliseconds() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    now = system_clock()
    assert before <= now <= datetime.now(UTC)
    assert (now.tzinfo, now.microsecond % 1000) == (UTC, 0)


def test_frozen_clock_says_one_instant() -> None:
    instant = datetime(2025, 1, 2, tzinfo=UTC)
    clock = frozen_clock(instant)
    assert [clock(), clock()] == [instant, instant]
