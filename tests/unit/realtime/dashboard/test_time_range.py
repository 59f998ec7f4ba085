"""Time ranges: valid queries and their meaning, and refused ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import iso
from realtime.dashboard.time_range import (
    DEFAULT_TIME_RANGE,
    INVALID_TIME_RANGE,
    InvalidTimeRange,
    TimeRange,
    TimeRangePreset,
    parse_time_range,
    time_range_from_query,
)
from realtime.errors import InvalidInput
from tests.unit.realtime.dashboard.recording import http_errors, query_of
from tests.unit.realtime.dashboard.samples import NOW


@pytest.mark.parametrize(("path", "sentence"), http_errors())
def test_recorded_error_is_given(path: str, sentence: str | None) -> None:
    with pytest.raises(InvalidTimeRange) as refused:
        time_range_from_query(query_of(path))
    # Without the original's sentence, because the original accepted February 30th (docs/departures.md, row 22).
    assert refused.value.message == str(refused.value) == INVALID_TIME_RANGE == (sentence or INVALID_TIME_RANGE)


def test_recording_holds_nine_bad_queries() -> None:
    assert len(http_errors()) == 9
    assert [path for path, sentence in http_errors() if sentence is None] == [
        "/api/v1/dashboard?from=2025-02-30T00:00:00Z&to=2025-03-01T00:00:00Z"
    ]


@pytest.mark.parametrize(
    ("query", "preset"),
    [
        ({}, "last_7d"),
        ({"timeRangePreset": "", "range": "", "from": "", "to": ""}, "last_7d"),
        ({"timeRangePreset": "last_24h"}, "last_24h"),
        ({"timeRangePreset": "all_time", "range": "7d"}, "all_time"),
        ({"timeRangePreset": "last_30d", "range": "bogus"}, "last_30d"),
        ({"timeRangePreset": "bogus"}, "last_7d"),
        ({"timeRangePreset": "bogus", "range": "90d"}, "last_90d"),
        ({"range": "24h"}, "last_24h"),
        ({"range": "7d"}, "last_7d"),
        ({"range": "30d"}, "last_30d"),
        ({"range": "all"}, "all_time"),
    ],
)
def test_query_names_preset(query: dict[str, str], preset: str) -> None:
    assert time_range_from_query(query) == TimeRange(TimeRangePreset(preset))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025", datetime(2025, 1, 1, tzinfo=UTC)),
        ("2025-02", datetime(2025, 2, 1, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2025-02-19T12:30Z", datetime(2025, 2, 19, 12, 30, tzinfo=UTC)),
        ("2025-02-19T12:30:15", datetime(2025, 2, 19, 12, 30, 15, tzinfo=UTC)),
        ("2025-02-19T12:30:15.123456789Z", datetime(2025, 2, 19, 12, 30, 15, 123_000, tzinfo=UTC)),
        ("2025-02-19T01:30:15+02:00", datetime(2025, 2, 18, 23, 30, 15, tzinfo=UTC)),
        ("2025-02-19t12:30:15z", datetime(2025, 2, 19, 12, 30, 15, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
    ],
)
def test_bound_in_iso_8601_is_read_and_kept(text: str, instant: datetime) -> None:
    time_range = parse_time_range(from_=text, to="2030-01-01", preset="all_time", alias="bogus")
    window = time_range.window(NOW)
    assert (window.start, window.end) == (instant, datetime(2030, 1, 1, tzinfo=UTC))
    assert (window.preset, window.from_text, window.to_text) == (None, text, "2030-01-01")


@pytest.mark.parametrize(
    "text",
    [
        "2025-02-30",
        "2025-02-29",
        "2025-13-01",
        "2025-00-01",
        "0000-01-01",
        "2025-02-19T24:00:00Z",
        "2025-02-19T12:60:00Z",
        "2025-02-19T12",
        "2025-02-19Z",
        "2025-02-19 12:00:00Z",
        "2025-2-19",
        "20250219",
        "2025-W08-3",
        "1740120400000",
        "0001-01-01T00:00:00+01:00",
        "2025-02-19\n",
        "٢٠٢٥-02-19",
        "Feb 19 2025",
        "now",
        " ",
    ],
)
def test_bound_outside_calendar_or_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidTimeRange) as refused:
        parse_time_range(from_="2025-01-01", to=text)
    assert [error.field for error in refused.value.fields] == ["to"]


def test_error_names_parameter_and_is_both_kinds() -> None:
    with pytest.raises(InvalidTimeRange, match="Invalid time range") as refused:
        time_range_from_query({"range": "x" * 200})
    (error,) = refused.value.fields
    assert (error.field, len(error.message) < 150) == ("range", True)
    assert error.message.startswith("expected one of 24h, 7d, 30d, 90d, all, got")
    assert isinstance(refused.value, ValueError)
    assert isinstance(refused.value, InvalidInput)


@pytest.mark.parametrize(("preset", "days"), [("last_24h", 1), ("last_7d", 7), ("last_30d", 30), ("last_90d", 90)])
def test_preset_slides_with_now(preset: str, days: int) -> None:
    window = TimeRange(TimeRangePreset(preset)).window(NOW)
    assert (window.start, window.end, window.seconds) == (NOW - timedelta(days=days), NOW, days * 86_400)
    assert (window.from_text, window.to_text) == (iso(NOW - timedelta(days=days)), iso(NOW))


def test_all_time_has_no_start() -> None:
    window = TimeRange(TimeRangePreset.ALL_TIME).window(NOW)
    assert (window.start, window.from_text, window.seconds) == (None, None, None)
    assert datetime.min.replace(tzinfo=UTC) in window
    assert NOW not in window


@given(st.datetimes(), st.datetimes(), st.datetimes())
def test_window_holds_start_up_to_end(start: datetime, end: datetime, instant: datetime) -> None:
    first, last, at = (iso(time.replace(tzinfo=UTC)) for time in (start, end, instant))
    window = parse_time_range(from_=first, to=last).window(NOW)
    moment = parse_time_range(from_=at, to=at).window(NOW).end
    assert (moment in window) == (first <= at < last)
    assert window.seconds is not None
    assert window.seconds >= 1


def test_unknown_instant_lies_in_no_window() -> None:
    assert None not in TimeRange(TimeRangePreset.ALL_TIME).window(NOW)


def test_key_distinguishes_ranges() -> None:
    ranges = [*map(TimeRange, TimeRangePreset)]
    ranges += [parse_time_range(from_=a, to=b) for a, b in [("2025", "2026"), ("2025", "2027"), ("2024", "2026")]]
    assert len({time_range.key for time_range in ranges}) == len(ranges)
    assert DEFAULT_TIME_RANGE.key == parse_time_range(alias="7d").key
