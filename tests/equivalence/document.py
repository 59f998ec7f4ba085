"""The document that selects every field of every member of a union, generated from the committed SDL.

It includes each field that is added to the schema, and the comparison fails until `mapping` knows the field.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedOutputType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
)

__all__ = ["LOOKED_UP", "OF_CHANGES", "sdl", "selected_fields", "selection"]

#: Types that an envelope does not carry. Fields of these types are read from the rows at a later moment, so the exits
#: need not agree on them.
LOOKED_UP = frozenset({"Attempt", "Project", "AttemptConnection", "LogConnection", "ConversationConnection"})
#: Entries of a page, which the raw exits do not have; `tests/live/graphql/test_edges.py` compares them with the pages.
_EDGES = frozenset({"LogEdge", "ConversationEdge"})
#: Fields that the raw exits do not have: they name the stream's own board.
_OF_BOARD = frozenset({"id", "boardId"})
#: Members of `BoardEvent` that only come in the delivery `CHANGES`; these clients use the other one.
OF_CHANGES = frozenset({"CardCreated", "CardUpdated", "CardMoved", "CardDeleted", "ColumnsChanged", "Heartbeat"})
#: Fields that lead back to a type that is being selected.
_BACK = frozenset({("Card", "dependencies"), ("Card", "dependents"), ("Card", "column"), ("Card", "board")})
#: Fields that only name the cards: `BoardState.cards` has the whole cards, and a second copy would double the cost.
_BY_ID = frozenset({("Column", "cards")})


@cache
def sdl() -> GraphQLSchema:
    """Return the committed schema."""
    path = Path(__file__).parents[2] / "graphql" / "schema.graphql"
    return build_schema(path.read_text(encoding="utf-8"))


def selected_fields(of: GraphQLObjectType) -> dict[str, GraphQLNamedOutputType]:
    """Return the fields of a type that the document selects, with their named types."""
    named = {name: get_named_type(field.type) for name, field in of.fields.items()}
    absent = _OF_BOARD if any(one.name == "Node" for one in of.interfaces) else frozenset()
    wanted = {name: kind for name, kind in named.items() if kind.name not in LOOKED_UP | _EDGES and name not in absent}
    return {name: kind for name, kind in wanted.items() if (of.name, name) not in _BACK}


def selection(type_name: str) -> str:
    """Return the selection set of everything below a type."""
    return _selection(sdl().type_map[type_name])


def _selection(of: object) -> str:
    if isinstance(of, GraphQLUnionType):
        members = " ".join(
            f"... on {member.name} {_selection(member)}" for member in of.types if member.name not in OF_CHANGES
        )
        return f"{{ __typename {members} }}"
    assert not isinstance(of, GraphQLInterfaceType), f"{of}: no interface is expected below an event"
    return f"{{ {' '.join(_fields(of))} }}" if isinstance(of, GraphQLObjectType) else ""


def _fields(of: GraphQLObjectType) -> Iterator[str]:
    for name, kind in selected_fields(of).items():
        yield f"{name} {'{ cardId }' if (of.name, name) in _BY_ID else _selection(kind)}".strip()
