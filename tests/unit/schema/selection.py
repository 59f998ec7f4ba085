"""Writes documents that select every field of a type, so that each field is tested."""

from __future__ import annotations

from graphql import GraphQLNamedType, GraphQLObjectType, GraphQLSchema, build_schema, get_named_type, is_abstract_type

__all__ = ["is_link", "selection"]

#: Fields that link objects and form cycles; `test_links` follows them.
LINKS = frozenset({"Attempt.card", "BoardState.project", "Card.attempts", "Project.board"})


def selection(sdl: str, type_name: str) -> str:
    """Return the selection set `{ … }` with every field of a type, down to the leaves, without links."""
    schema = build_schema(sdl)
    return _of(schema, schema.type_map[type_name])


def _of(schema: GraphQLSchema, kind: GraphQLNamedType) -> str:
    if is_abstract_type(kind):
        members = schema.get_possible_types(kind)
        return "{ __typename " + " ".join(f"... on {member.name} {_of(schema, member)}" for member in members) + " }"
    if isinstance(kind, GraphQLObjectType):
        followed = {name: get_named_type(one.type) for name, one in kind.fields.items() if not is_link(kind, name)}
        return "{ " + " ".join(f"{name} {_of(schema, one)}" for name, one in followed.items()) + " }"
    return ""


def is_link(kind: GraphQLObjectType, name: str) -> bool:
    """Return whether a field leads to an object that is stored elsewhere."""
    of_event = name == "attempt" and "attemptId" in kind.fields
    return of_event or f"{kind.name}.{name}" in LINKS
