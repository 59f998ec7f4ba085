"""Converts the value of a field to plain values, as graphql-core's `complete_value` does.

Each function except `nullable` refuses null, and every other value for which graphql-core would report an error. It may
raise any exception: graphql-core then executes the event, reports the error and decides where a null goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)

__all__ = ["Complete", "NotCovered", "abstract", "checked", "leaf", "listed", "nullable", "object_of"]

#: The value of a field → the value that `orjson` encodes.
Complete = Callable[[Any], Any]

#: Scalars that do not change values of exactly this class.
_PLAIN: Sequence[tuple[GraphQLScalarType, type]] = (
    (GraphQLString, str),
    (GraphQLID, str),
    (GraphQLBoolean, bool),
)


class NotCovered(Exception):
    """The plan does not cover this part of a document, or this value."""


def nullable(complete: Complete) -> Complete:
    """Accept null; complete other values by `complete`."""
    return lambda value: None if value is None else complete(value)


def leaf(kind: GraphQLLeafType) -> Complete:
    """Coerce a value as the scalar or the enumeration does."""
    if isinstance(kind, GraphQLEnumType):
        return _word(kind)
    plain = next((cls for scalar, cls in _PLAIN if scalar is kind), None)

    def complete(value: Any) -> Any:
        return value if type(value) is plain else _coerced(kind, value)

    return complete


def _word(kind: GraphQLEnumType) -> Complete:
    # An enumeration searches its values one by one, so cache the name of each value; it never changes.
    names: dict[Any, str] = {}

    def complete(value: Any) -> str:
        """Return the name of a value; NotCovered: no name has it."""
        name = names.get(value)
        if name is None:
            name = names[value] = _coerced(kind, value)
        return name

    return complete


def _coerced(kind: GraphQLLeafType, value: Any) -> Any:
    coerced = kind.coerce_output_value(_present(value))
    if coerced is None or coerced is Undefined:
        raise NotCovered(f"{kind} of {value!r:.80}")
    return coerced


def _present(value: Any) -> Any:
    # A scalar might encode these, and an object with only `__typename` selected would not look at its value.
    if value is None or value is Undefined or isinstance(value, Exception):
        raise NotCovered(f"{value!r:.80}")
    return value


def listed(item: Complete) -> Complete:
    """Complete each entry of a list or tuple."""

    def complete(value: Any) -> list[Any]:
        """Return the completed entries in their order; NotCovered: the value is no list or tuple."""
        if type(value) is not list and type(value) is not tuple:
            raise NotCovered(f"a list of {value!r:.80}")
        return [item(one) for one in value]

    return complete


def object_of(fields: Sequence[tuple[str, Callable[[Any], Any], Complete]]) -> Complete:
    """Make an object of fields: each has a name, a function that reads it, and one that completes the value."""

    def complete(value: Any) -> dict[str, Any]:
        """Return the completed fields by name; NotCovered: the value is null or an error."""
        parent = _present(value)
        return {name: done(read(parent)) for name, read, done in fields}

    return complete


def checked(kind: GraphQLObjectType, complete: Complete) -> Complete:
    """Complete a value only if `is_type_of` of the type accepts it. Our types check only the class of a value."""
    is_type_of = kind.is_type_of
    if is_type_of is None:
        return complete
    known: set[type] = set()

    def complete_checked(value: Any) -> Any:
        """Complete a value of the type; NotCovered: it is of another. Each class is asked about once."""
        if type(value) not in known:
            if is_type_of(value, None) is not True:  # type: ignore[arg-type] # ours ask no `info`; others raise
                raise NotCovered(f"{kind} of {value!r:.80}")
            known.add(type(value))
        return complete(value)

    return complete_checked


def abstract(name_of: Callable[[Any], Any], members: Mapping[str, Complete | None]) -> Complete:
    """Complete a value as the member type that `name_of` returns; a member that is None is not covered.

    Each class of values is resolved once, because our types check only the class.
    """
    known: dict[type, Complete] = {}

    def complete(value: Any) -> Any:
        member = known.get(type(value))
        if member is None:
            name = name_of(value)
            member = members.get(name)
            if member is None:
                raise NotCovered(f"{name} of {value!r:.80}")
            known[type(value)] = member
        return member(value)

    return complete
