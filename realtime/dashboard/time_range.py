"""Time ranges of the dashboard: how a client names one, and its bounds at a given `now`.

The server reads the query string. A preset moves with the clock, so it becomes a window only when an overview is built.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from realtime.clock import iso, parse_iso
from realtime.errors import FieldError, InvalidInput

__all__ = [
    "DEFAULT_TIME_RANGE",
    "INVALID_TIME_RANGE",
    "QUERY_PARAMETERS",
    "InvalidTimeRange",
    "TimeRange",
    "TimeRangePreset",
    "Window",
    "parse_time_range",
    "time_range_from_query",
]

#: The original's error message for every invalid range (`dashboard-overview.json`, `http_errors_*`).
INVALID_TIME_RANGE = "Invalid time range; use ISO 8601 from/to, a supported timeRangePreset, or a supported range alias"
#: Most characters of an invalid value that an error message quotes.
QUOTED_CHARS = 80
#: Most characters of a bound: nine digits of fraction, as in events (docs/ingest.md), and an offset.
MAX_CHARS = len("2025-01-02T03:04:05.123456789+00:00")

#: The date and date-time forms of ISO 8601 that ECMAScript uses. A missing part means the first possible value.
_ISO_8601 = re.compile(
    r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2}))?)?"
    r"(?P<time>T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?)?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?"
)


class TimeRangePreset(StrEnum):
    """The ranges that end now."""

    LAST_24H = "last_24h"
    LAST_7D = "last_7d"
    LAST_30D = "last_30d"
    LAST_90D = "last_90d"
    ALL_TIME = "all_time"


#: The length of each preset; `all_time` has no lower bound.
_LENGTHS = {
    TimeRangePreset.LAST_24H: timedelta(hours=24),
    TimeRangePreset.LAST_7D: timedelta(days=7),
    TimeRangePreset.LAST_30D: timedelta(days=30),
    TimeRangePreset.LAST_90D: timedelta(days=90),
}
#: Values of the `range` parameter.
_ALIASES = {preset.removeprefix("last_").removesuffix("_time"): preset for preset in TimeRangePreset}
#: Names of the parameters of a query, each with its meaning.
QUERY_PARAMETERS: Mapping[str, str] = {
    "timeRangePreset": f"{', '.join(f'`{preset}`' for preset in TimeRangePreset)}; an unknown one counts as absent. "
    f"Without a range it is `{TimeRangePreset.LAST_7D}`.",
    "range": f"The same ranges: {', '.join(f'`{alias}`' for alias in _ALIASES)}; an unknown one is 400.",
    "from": "The beginning, a date or a time in ISO 8601. It belongs to the range. A time without an offset is UTC.",
    "to": "The end, in the same form. It does not belong to the range.",
}


class InvalidTimeRange(InvalidInput, ValueError):
    """An invalid range. `message` is the original's text; `fields` has the parameter and the reason."""

    def __init__(self, field: str, reason: str) -> None:
        """Report `reason` for the parameter `field`."""
        super().__init__(FieldError(field, reason))
        self.message = INVALID_TIME_RANGE
        self.args = (INVALID_TIME_RANGE,)


@dataclass(frozen=True, slots=True)
class Window:
    """The bounds of a range at a given `now`: `start` is included, `end` excluded."""

    #: None without a lower bound.
    start: datetime | None
    end: datetime
    preset: TimeRangePreset | None = None
    #: The bounds as a client gets them: as the client wrote them, else ISO 8601 with milliseconds.
    from_text: str | None = None
    to_text: str = ""

    def __contains__(self, instant: datetime | None) -> bool:
        """Return whether `instant` is in the window; None never is."""
        return instant is not None and (self.start is None or self.start <= instant) and instant < self.end

    @property
    def seconds(self) -> int | None:
        """Length in whole seconds, at least 1, even if the end is before the start; None without a lower bound."""
        return None if self.start is None else max(1, (self.end - self.start) // timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A preset, or two fixed bounds. A range whose end is before its start is valid and empty."""

    preset: TimeRangePreset | None = None
    #: The bounds as the client wrote them; the overview has them unchanged.
    from_text: str | None = None
    to_text: str | None = None
    #: The bounds as times in UTC.
    start: datetime | None = None
    end: datetime | None = None

    @property
    def key(self) -> str:
        """A string that is equal only for equal ranges; subscribers with the same key can share overviews."""
        return str(self.preset) if self.preset else f"{self.from_text}/{self.to_text}"

    def window(self, now: datetime) -> Window:
        """Return the bounds at `now` (aware). A preset ends at `now`; fixed bounds do not depend on it."""
        if self.end is not None:
            return Window(self.start, self.end, None, self.from_text, self.to_text or "")
        preset = self.preset or TimeRangePreset.LAST_7D
        length = _LENGTHS.get(preset)
        start = now - length if length else None
        return Window(start, now, preset, iso(start) if start else None, iso(now))


#: The range of a client that names none.
DEFAULT_TIME_RANGE = TimeRange(TimeRangePreset.LAST_7D)


def parse_time_range(
    *, preset: str | None = None, alias: str | None = None, from_: str | None = None, to: str | None = None
) -> TimeRange:
    """Return the range that the parameters name; an empty parameter counts as absent.

    Bounds win over a preset, and a preset wins over an alias. An unknown preset is ignored, as in the original.

    Raises:
        InvalidTimeRange: one bound is missing, a bound is no ISO 8601 date or time of the calendar, or the alias is
            unknown.
    """
    if from_ or to:
        return _fixed(from_ or "", to or "")
    if preset in _LENGTHS or preset == TimeRangePreset.ALL_TIME:
        return TimeRange(TimeRangePreset(preset))
    if not alias:
        return DEFAULT_TIME_RANGE
    if alias not in _ALIASES:
        raise InvalidTimeRange("range", f"expected one of {', '.join(_ALIASES)}, got {_quoted(alias)}")
    return TimeRange(_ALIASES[alias])


def time_range_from_query(query: Mapping[str, str]) -> TimeRange:
    """Parse `timeRangePreset`, its alias `range`, and `from` with `to` from query parameters.

    Raises:
        InvalidTimeRange: see `parse_time_range`.
    """
    return parse_time_range(
        preset=query.get("timeRangePreset"), alias=query.get("range"), from_=query.get("from"), to=query.get("to")
    )


def _fixed(from_text: str, to_text: str) -> TimeRange:
    start, end = _instant("from", from_text), _instant("to", to_text)
    return TimeRange(None, from_text, to_text, start, end)


def _instant(field: str, text: str) -> datetime:
    """Parse one bound into UTC, cut to milliseconds.

    Times of RFC 3339 are those of all inputs. Dates, and times without an offset, which are UTC, are the original's.
    """
    try:
        return parse_iso(text)
    except ValueError:
        return _laxly(field, text)


def _laxly(field: str, text: str) -> datetime:
    found = _ISO_8601.fullmatch(text) if len(text) <= MAX_CHARS else None
    if not found or (found["zone"] and not found["time"]):
        raise InvalidTimeRange(field, f"expected an ISO 8601 date or time, got {_quoted(text)}")
    date = f"{found['year']}-{found['month'] or '01'}-{found['day'] or '01'}"
    try:
        instant = datetime.fromisoformat(date + (found["time"] or "T00:00") + (found["zone"] or "Z")).astimezone(UTC)
    except (ValueError, OverflowError):
        # Such as February 30th, 25 o'clock or the year 0 (docs/departures.md, row 22).
        raise InvalidTimeRange(field, f"expected a time of the calendar, got {_quoted(text)}") from None
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= QUOTED_CHARS else text[: QUOTED_CHARS - 1] + "…")
