"""The numbers of a position: a client compares them, while a cursor is opaque to it (docs/graphql.md, "Positions")."""

from __future__ import annotations

from typing import Any, Protocol

import strawberry

from realtime.messages.position import parse_cursor
from schema.types.scalars import SafeInt

__all__ = ["Positioned", "StreamEvent", "offset_field", "part_field"]


class Positioned(Protocol):
    """An object with a cursor."""

    @property
    def cursor(self) -> str:
        """The text of a position."""


def _offset(parent: strawberry.Parent[Positioned]) -> int:
    return parse_cursor(parent.cursor).place.offset


def _part(parent: strawberry.Parent[Positioned]) -> int:
    return parse_cursor(parent.cursor).place.part


def offset_field(description: str) -> Any:
    """Return a field with the offset of the parent's cursor."""
    return strawberry.field(resolver=_offset, graphql_type=SafeInt, description=description)


def part_field(description: str) -> Any:
    """Return a field with the part of the parent's cursor."""
    return strawberry.field(resolver=_part, graphql_type=int, description=description)


@strawberry.interface(
    description="An event with a position: `offset` and `part`, compared in this order. Within an epoch, a client has "
    "seen every event whose position is smaller than that of its last event."
)
class StreamEvent:
    """`Access`, `Gap` and `Goodbye` do not implement it: a client cannot resume there."""

    cursor: str = strawberry.field(description="The position after this event, the same string on all exits.")
    offset = offset_field(
        "Number of the last event of the board's log that is complete after this one; on the dashboard, of the log of "
        "all boards."
    )
    part = part_field("How many parts of the next event of the log came; 0 if the last one is complete.")
