"""Scalars: one form for times, whole numbers that JSON holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from graphql import GraphQLError

from schema.scalars import SCALARS, SafeInt

TIME, NUMBER = SCALARS[datetime], SCALARS[SafeInt]


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


def test_time_is_read_as_utc() -> None:
    assert TIME.parse_value is not None
    assert TIME.parse_value("2025-01-02T03:04:05.678+01:00") == datetime(2025, 1, 2, 2, 4, 5, 678_000, tzinfo=UTC)


@pytest.mark.parametrize("value", ["", "yesterday", "2025-02-30T00:00:00Z", "2025-01-02T03:04:05", 7, None])
def test_what_is_no_time_is_refused(value: Any) -> None:
    assert TIME.parse_value is not None
    with pytest.raises(GraphQLError, match="expected an ISO 8601 time"):
        TIME.parse_value(value)


@pytest.mark.parametrize("value", [0, -(2**53 - 1), 2**31, 2**53 - 1])
def test_whole_number_beyond_32_bits_travels(value: int) -> None:
    assert NUMBER.serialize is not None
    assert NUMBER.serialize(value) == value


@pytest.mark.parametrize("value", [2**53, 1.5, "1", True, None])
def test_what_is_no_safe_whole_number_is_refused(value: Any) -> None:
    assert NUMBER.parse_value is not None
    with pytest.raises(GraphQLError, match="expected a whole number"):
        NUMBER.parse_value(value)
