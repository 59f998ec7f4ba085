"""Scalars: one form for times, whole numbers that JSON can hold, valid JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from graphql import GraphQLError

from schema.types.scalars import JSON, SCALARS, SafeInt

TIME, NUMBER, ANYTHING = SCALARS[datetime], SCALARS[SafeInt], SCALARS[JSON]


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (datetime(2025, 1, 2, 3, 4, 5, 678_999, tzinfo=UTC), "2025-01-02T03:04:05.678Z"),
        (datetime(2025, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2025-01-02T01:04:05.000Z"),
        ("2025-01-02T03:04:05+01:00", "2025-01-02T02:04:05.000Z"),
    ],
)
def test_time_has_milliseconds_and_z(value: datetime | str, wire: str) -> None:
    assert TIME.serialize is not None
    assert TIME.serialize(value) == wire


@pytest.mark.parametrize("text", ["2025-01-02T03:04:05.678+01:00", "2025-01-02t03:04:05z"])
def test_time_is_kept_as_it_was_written(text: str) -> None:
    assert TIME.parse_value is not None
    assert TIME.parse_value(text) == text


@pytest.mark.parametrize("value", ["", "yesterday", "2025-02-30T00:00:00Z", "2025-01-02T03:04:05", 7, None])
def test_invalid_time_is_refused(value: Any) -> None:
    assert TIME.parse_value is not None
    with pytest.raises(GraphQLError, match=r"expected an RFC 3339 time with an offset, .*, got "):
        TIME.parse_value(value)


@pytest.mark.parametrize("value", [0, -(2**53 - 1), 2**31, 2**53 - 1])
def test_whole_number_beyond_32_bits_travels(value: int) -> None:
    assert NUMBER.serialize is not None
    assert NUMBER.serialize(value) == value


@pytest.mark.parametrize("value", [2**53, 1.5, "1", True, None])
def test_unsafe_whole_number_is_refused(value: Any) -> None:
    assert NUMBER.parse_value is not None
    with pytest.raises(GraphQLError, match="expected a whole number"):
        NUMBER.parse_value(value)


def nested(value: Any, levels: int) -> Any:
    """The value inside this many nested lists."""
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [None, True, "x", -(2**63), 2**64 - 1, 1.5, {"a": [1, {"b": None}]}, nested(1, 5000)])
def test_json_travels_as_it_is(value: Any) -> None:
    assert ANYTHING.parse_value is not None
    assert ANYTHING.parse_value(value) is value


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, float("inf"), float("nan"), {"a": [10**30]}, nested(10**30, 9)])
def test_number_that_json_cannot_hold_is_refused(value: Any) -> None:
    assert ANYTHING.parse_value is not None
    with pytest.raises(GraphQLError, match="at most 64 bits"):
        ANYTHING.parse_value(value)
