"""Converts the payload of an event to the argument of a typed mutation, by the SDL."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, build_schema, get_named_type

from schema.export import sdl
from schema.types.event_inputs import FAMILIES, member_of
from schema.types.inputs import wire_name

__all__ = ["GRAPHQL", "event_argument", "family_of", "input_type"]

GRAPHQL = build_schema(sdl())


def input_type(name: str) -> GraphQLInputObjectType:
    """Return an input type of the schema."""
    kind = GRAPHQL.type_map[name]
    assert isinstance(kind, GraphQLInputObjectType)
    return kind


def family_of(name: str) -> str:
    """Return the family with the member for an event name."""
    (family,) = (one for one in FAMILIES if member_of(name) in input_type(f"{one.title()}EventInput").fields)
    return family


def event_argument(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return the argument `event` for an event."""
    kind = input_type(f"{family_of(name).title()}EventInput")
    return {member_of(name): _value(get_named_type(kind.fields[member_of(name)].type), payload)}


def _value(kind: object, value: Any) -> Any:
    if isinstance(value, list) and isinstance(kind, GraphQLInputObjectType | GraphQLEnumType):
        return [_value(kind, one) for one in value]
    if isinstance(kind, GraphQLEnumType) and isinstance(value, str):
        return value.upper()
    if not isinstance(kind, GraphQLInputObjectType) or not isinstance(value, dict):
        return value
    shown = {wire_name(name): name for name in kind.fields}
    value = {shown.get(name, name): one for name, one in value.items()}
    known = {
        name: _value(get_named_type(kind.fields[name].type), one) for name, one in value.items() if name in kind.fields
    }
    extra = {name: one for name, one in value.items() if name not in kind.fields}
    return known | ({"extra": extra} if extra else {})
