"""Time ranges of the dashboard: how a client names one, and which instants it holds at a given `now`.

Reading the query string itself is the server's; a preset stays a preset until an overview is built, because it
slides with the clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from realtime.clock import iso
from realtime.errors import FieldError, InvalidInput

__all__ = [
    "DEFAULT_TIME_RANGE",
    "INVALID_TIME_RANGE",
    "InvalidTimeRange",
    "TimeRange",
    "TimeRangePreset",
    "Window",
    "parse_time_range",
    "time_range_from_query",
]

#: What the original answers to every range it cannot read (`dashboard-overview.json`, `http_errors_*`).
INVALID_TIME_RANGE = "Invalid time range; use ISO 8601 from/to, a supported timeRangePreset, or a supported range alias"
#: A received value is quoted in an error, cut at this many characters.
QUOTED_CHARS = 80
#: Characters of the longest bound: nine digits of fraction, as in events (docs/ingest.md), and an offset.
MAX_CHARS = len("2025-01-02T03:04:05.123456789+00:00")

#: The date and date-time forms of ISO 8601 in which ECMAScript writes dates; missing parts are the first ones.
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


#: `all_time` has no lower bound.
_LENGTHS = {
    TimeRangePreset.LAST_24H: timedelta(hours=24),
    TimeRangePreset.LAST_7D: timedelta(days=7),
    TimeRangePreset.LAST_30D: timedelta(days=30),
    TimeRangePreset.LAST_90D: timedelta(days=90),
}
#: Values of the `range` parameter.
_ALIASES = {preset.removeprefix("last_").removesuffix("_time"): preset for preset in TimeRangePreset}


class InvalidTimeRange(InvalidInput, ValueError):
    """A range that cannot be read; `message` is the original's sentence, `fields` says which parameter and why."""

    def __init__(self, field: str, reason: str) -> None:
        """Blame the parameter `field`."""
        super().__init__(FieldError(field, reason))
        self.message = INVALID_TIME_RANGE
        self.args = (INVALID_TIME_RANGE,)


@dataclass(frozen=True, slots=True)
class Window:
    """The instants of a range at a given `now`: `start` included, `end` excluded."""

    #: None: no lower bound.
    start: datetime | None
    end: datetime
    preset: TimeRangePreset | None = None
    #: The bounds as they travel: what the client wrote, else ISO 8601 with milliseconds.
    from_text: str | None = None
    to_text: str = ""

    def __contains__(self, instant: datetime | None) -> bool:
        """Tell whether `instant` lies in the window; an unknown instant never does."""
        return instant is not None and (self.start is None or self.start <= instant) and instant < self.end

    @property
    def seconds(self) -> int | None:
        """Length in whole seconds, at least 1 (also when the bounds are the wrong way round); None: unbounded."""
        return None if self.start is None else max(1, (self.end - self.start) // timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A preset, or two fixed bounds (a range the wrong way round is a range that holds nothing)."""

    preset: TimeRangePreset | None = None
    #: As the client wrote them; they travel back unchanged.
    from_text: str | None = None
    to_text: str | None = None
    #: The same as instants in UTC.
    start: datetime | None = None
    end: datetime | None = None

    @property
    def key(self) -> str:
        """A string that is equal for equal ranges only; readers of one key can share overviews."""
        return str(self.preset) if self.preset else f"{self.from_text}/{self.to_text}"

    def window(self, now: datetime) -> Window:
        """Resolve against `now` (aware): presets end there, fixed bounds do not care."""
        if self.end is not None:
            return Window(self.start, self.end, None, self.from_text, self.to_text or "")
        preset = self.preset or TimeRangePreset.LAST_7D
        length = _LENGTHS.get(preset)
        start = now - length if length else None
        return Window(start, now, preset, iso(start) if start else None, iso(now))


#: What a client gets that names no range.
DEFAULT_TIME_RANGE = TimeRange(TimeRangePreset.LAST_7D)


def parse_time_range(
    *, preset: str | None = None, alias: str | None = None, from_: str | None = None, to: str | None = None
) -> TimeRange:
    """Return the range that the parameters name; empty ones count as absent.

    Bounds win over a preset, a preset over an alias; a preset that does not exist is passed over, as in the original.

    Raises:
        InvalidTimeRange: one bound without the other, a bound that is no ISO 8601 date or time of the calendar,
            or an alias that does not exist.
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
    """Read `timeRangePreset`, its alias `range`, and `from` + `to` from query parameters.

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
    """Parse one bound into UTC milliseconds; a time without an offset is UTC."""
    found = _ISO_8601.fullmatch(text) if len(text) <= MAX_CHARS else None
    if not found or (found["zone"] and not found["time"]):
        raise InvalidTimeRange(field, f"expected an ISO 8601 date or time, got {_quoted(text)}")
    date = f"{found['year']}-{found['month'] or '01'}-{found['day'] or '01'}"
    try:
        instant = datetime.fromisoformat(date + (found["time"] or "T00:00") + (found["zone"] or "Z")).astimezone(UTC)
    except (ValueError, OverflowError):
        # February 30th, 25 o'clock, the year 0 (docs/departures.md, row 22).
        raise InvalidTimeRange(field, f"expected a time of the calendar, got {_quoted(text)}") from None
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= QUOTED_CHARS else text[: QUOTED_CHARS - 1] + "…")
