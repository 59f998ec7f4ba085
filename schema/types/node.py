"""`interface Node` with its `id`, and arguments that take this id or that of the wire (docs/graphql.md, "Identity").

The objects behind the types have the attribute `global_id`: it is the field `id`. Their own attribute `id` is the id of
the wire, under its name: `boardId`, `cardId`, …
"""

from __future__ import annotations

from typing import Annotated

import strawberry

from realtime.global_ids import Kind, wire_id
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from schema.types.fields import computed

__all__ = [
    "BoardArgument",
    "Node",
    "ProjectArgument",
    "agent_of",
    "attempt_of",
    "board_of",
    "card_of",
    "column_of",
    "profile_of",
]

BoardArgument = Annotated[
    strawberry.ID, strawberry.argument(description="The board: its `id`, its `boardId`, or the `id` of its project.")
]
ProjectArgument = Annotated[
    strawberry.ID, strawberry.argument(description="The project: its `id`, its `projectId`, or the `id` of its board.")
]


@strawberry.interface(description="A thing that clients can cache and ask for by its `id`.")
class Node:
    """The field that all these types have."""

    global_id: strawberry.ID = computed(
        "id", "Unique in the installation, over all types and boards; it never changes. Opaque to clients."
    )

    @classmethod
    def resolve_type(cls, value: object, _info: object, _kind: object) -> str:
        """Return the name of the type: each class behind a type has the type's name."""
        return type(value).__name__

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Return True: `resolve_type` decides. Strawberry's own check would refuse the classes behind the types."""
        return True


def board_of(given: str) -> BoardId:
    """Return the board that an argument names: by itself or by its project."""
    return BoardId(wire_id(given, Kind.BOARD, Kind.PROJECT))


def card_of(board_id: BoardId, given: str) -> CardId:
    """Return the card of a board that an argument names."""
    return CardId(wire_id(given, Kind.CARD, home=board_id))


def column_of(board_id: BoardId, given: str) -> ColumnId:
    """Return the column of a board that an argument names."""
    return ColumnId(wire_id(given, Kind.COLUMN, home=board_id))


def attempt_of(board_id: BoardId, given: str) -> AttemptId:
    """Return the attempt of a board that an argument names."""
    return AttemptId(wire_id(given, Kind.ATTEMPT, home=board_id))


def agent_of(given: str) -> str:
    """Return the key of the agent that an argument names."""
    return wire_id(given, Kind.AGENT)


def profile_of(given: str) -> str:
    """Return the id of the profile that an argument names."""
    return wire_id(given, Kind.PROFILE)
