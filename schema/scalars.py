"""Scalars beside those of GraphQL itself: times and whole numbers beyond 32 bits; JSON is Strawberry's own."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

from realtime.clock import iso, parse_iso

__all__ = ["JSON", "SCALARS", "SafeInt"]

#: A whole number that a double holds exactly.
SafeInt = NewType("SafeInt", int)
SAFE_INT = 2**53 - 1


def _time_to_wire(value: datetime | str) -> str:
    # Times that clients send are kept as they wrote them (contract §1); here all are in one form.
    return iso(parse_iso(value) if isinstance(value, str) else value)


def _time_from_wire(value: Any) -> datetime:
    try:
        return parse_iso(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"expected an ISO 8601 time with an offset, got {value!r:.80}") from None


def _safe_int(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > SAFE_INT:
        raise GraphQLError(f"expected a whole number of at most 2^53 - 1, got {value!r:.80}")
    return value


#: For `StrawberryConfig.scalar_map`.
SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant: ISO 8601 in UTC with milliseconds and `Z`, like `2025-01-02T03:04:05.678Z`.",
        serialize=_time_to_wire,
        parse_value=_time_from_wire,
    ),
    SafeInt: strawberry.scalar(
        name="SafeInt",
        description=(
            "A whole number of at most 2^53 - 1 either way, which JSON and JavaScript hold exactly; "
            "`Int` has 32 bits only."
        ),
        serialize=_safe_int,
        parse_value=_safe_int,
    ),
}
