"""Writes documents that select every field of a type, so that each field is tested."""

from __future__ import annotations

from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLUnionType, build_schema, get_named_type

__all__ = ["is_link", "selection"]

#: Fields that link objects and form cycles; `test_links` follows them.
LINKS = frozenset({"Attempt.card", "BoardState.project", "Card.attempts", "Project.board"})


def selection(sdl: str, type_name: str) -> str:
    """Return the selection set `{ … }` with every field of a type, down to the leaves, without links."""
    kind = build_schema(sdl).type_map[type_name]
    return _of(kind)


def _of(kind: GraphQLNamedType) -> str:
    if isinstance(kind, GraphQLUnionType):
        return "{ __typename " + " ".join(f"... on {member.name} {_of(member)}" for member in kind.types) + " }"
    if isinstance(kind, GraphQLObjectType):
        followed = {name: one for name, one in kind.fields.items() if not is_link(kind, name)}
        return "{ " + " ".join(f"{name} {_of(get_named_type(one.type))}" for name, one in followed.items()) + " }"
    return ""


def is_link(kind: GraphQLObjectType, name: str) -> bool:
    """Return whether a field leads to an object that is stored elsewhere."""
    of_event = name == "attempt" and "attemptId" in kind.fields
    return of_event or f"{kind.name}.{name}" in LINKS
