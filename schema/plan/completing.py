"""What is done to the value of a field: plain values of it, as graphql-core's `complete_value` makes them.

Each of these refuses null, but for `nullable`, and whatever else graphql-core would have an error for, with any
exception at all: which error it is, and where it leaves a null, is graphql-core's to say.
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

#: The value of a field → what `orjson` writes for it.
Complete = Callable[[Any], Any]

#: Scalars that leave values of just this class as they are.
_PLAIN: Sequence[tuple[GraphQLScalarType, type]] = (
    (GraphQLString, str),
    (GraphQLID, str),
    (GraphQLBoolean, bool),
)


class NotCovered(Exception):
    """No plan knows the way for this part of a document, or for this value."""


def nullable(complete: Complete) -> Complete:
    """Let null through."""
    return lambda value: None if value is None else complete(value)


def leaf(kind: GraphQLLeafType) -> Complete:
    """Coerce as a scalar or an enumeration does."""
    if isinstance(kind, GraphQLEnumType):
        return _word(kind)
    plain = next((cls for scalar, cls in _PLAIN if scalar is kind), None)

    def complete(value: Any) -> Any:
        return value if type(value) is plain else _coerced(kind, value)

    return complete


def _word(kind: GraphQLEnumType) -> Complete:
    # An enumeration looks through its values one by one; what it found once is kept, and nothing else can be found.
    names: dict[Any, str] = {}

    def complete(value: Any) -> str:
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
    # A scalar might write these down, and an object of which only `__typename` is asked would not look at them.
    if value is None or value is Undefined or isinstance(value, Exception):
        raise NotCovered(f"{value!r:.80}")
    return value


def listed(item: Complete) -> Complete:
    """Complete each entry of a list or tuple."""

    def complete(value: Any) -> list[Any]:
        if type(value) is not list and type(value) is not tuple:
            raise NotCovered(f"a list of {value!r:.80}")
        return [item(one) for one in value]

    return complete


def object_of(fields: Sequence[tuple[str, Callable[[Any], Any], Complete]]) -> Complete:
    """Make an object of named fields, each what reads it off its parent and what is done to that."""

    def complete(value: Any) -> dict[str, Any]:
        parent = _present(value)
        return {name: done(read(parent)) for name, read, done in fields}

    return complete


def checked(kind: GraphQLObjectType, complete: Complete) -> Complete:
    """Complete values only of which the type says that they are of it; our types look at the class alone."""
    is_type_of = kind.is_type_of
    if is_type_of is None:
        return complete
    known: set[type] = set()

    def complete_checked(value: Any) -> Any:
        if type(value) not in known:
            if is_type_of(value, None) is not True:  # type: ignore[arg-type] # ours ask no `info`; others raise
                raise NotCovered(f"{kind} of {value!r:.80}")
            known.add(type(value))
        return complete(value)

    return complete_checked


def abstract(name_of: Callable[[Any], Any], members: Mapping[str, Complete | None]) -> Complete:
    """Complete a value as the member whose type `name_of` names; None is a member that is not covered.

    Each class of values is resolved once: our types look at the class alone.
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
