"""Values on their way into a result: their conversion, and the refusal of all others."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLString,
    Undefined,
)

from schema.plan.completing import Complete, NotCovered, abstract, checked, leaf, listed, nullable, object_of

WORD = GraphQLEnumType("Word", {"ONE": "one", "TWO": "two"})
TEXT = leaf(GraphQLString)


#: Any exception is allowed, as the module says; these are raised.
REFUSALS = (NotCovered, GraphQLError, TypeError)


def check_refuses(complete: Complete, value: Any) -> None:
    with pytest.raises(REFUSALS):
        complete(value)


@pytest.mark.parametrize(
    ("kind", "value", "coerced"),
    [
        (GraphQLString, "ü", "ü"),
        (GraphQLString, 1.5, "1.5"),
        (GraphQLBoolean, True, True),
        (GraphQLBoolean, 0, False),
        (GraphQLInt, 7.0, 7),
        (GraphQLFloat, 7, 7.0),
        (WORD, "two", "TWO"),
    ],
)
def test_leaf_is_coerced_as_its_type_says(kind: GraphQLLeafType, value: Any, coerced: Any) -> None:
    complete = leaf(kind)
    for _ in range(2):
        assert (complete(value), type(complete(value))) == (coerced, type(coerced))


@pytest.mark.parametrize("kind", [GraphQLString, GraphQLBoolean, GraphQLInt, GraphQLFloat, WORD], ids=str)
@pytest.mark.parametrize("value", [None, Undefined, [], ValueError("x"), object], ids=repr)
def test_leaf_refuses_what_its_type_does(kind: GraphQLLeafType, value: Any) -> None:
    complete = leaf(kind)
    for _ in range(2):
        check_refuses(complete, value)


def test_error_that_could_be_written_is_refused() -> None:
    class Unwritable(Exception):
        """Not a built-in class, so GraphQL has no text for it."""

    assert GraphQLString.coerce_output_value(Unwritable("text")) == "text"
    with pytest.raises(NotCovered):
        TEXT(Unwritable("text"))


def test_null_is_let_through_where_it_may_be() -> None:
    assert nullable(TEXT)(None) is None
    assert nullable(TEXT)("x") == "x"
    check_refuses(nullable(TEXT), [])


@pytest.mark.parametrize("value", [["a", "b"], ("a", "b")])
def test_list_is_completed_entry_by_entry(value: Any) -> None:
    assert listed(TEXT)(value) == ["a", "b"]


@pytest.mark.parametrize(
    "value", [None, "ab", {"a": 1}, iter("ab"), ["a", None]], ids=lambda value: type(value).__name__
)
def test_list_refuses_everything_else(value: Any) -> None:
    check_refuses(listed(TEXT), value)


def test_object_has_its_fields_in_order() -> None:
    complete = object_of([("b", lambda value: value["y"], TEXT), ("a", lambda value: value["x"], TEXT)])
    assert list(complete({"x": "1", "y": "2"}).items()) == [("b", "2"), ("a", "1")]


@pytest.mark.parametrize("value", [None, Undefined, ValueError("x")], ids=repr)
def test_object_of_constants_refuses_what_is_no_value(value: Any) -> None:
    complete = object_of([("__typename", lambda _: "T", TEXT)])
    assert complete("anything") == {"__typename": "T"}
    check_refuses(complete, value)


def test_value_of_another_type_is_refused() -> None:
    fields = {"x": GraphQLField(GraphQLString)}
    kind = GraphQLObjectType("T", fields, is_type_of=lambda value, _: isinstance(value, str))
    complete = checked(kind, TEXT)
    for _ in range(2):
        assert complete("x") == "x"
        check_refuses(complete, 1)
    assert checked(GraphQLObjectType("T", fields), TEXT) is TEXT


def test_member_is_chosen_by_the_class_of_the_value() -> None:
    asked: list[object] = []

    def name_of(value: object) -> str:
        asked.append(value)
        return type(value).__name__

    complete = abstract(name_of, {"str": TEXT, "int": leaf(GraphQLInt), "float": None})
    assert [complete(value) for value in ("a", 1, "b", 2)] == ["a", 1, "b", 2]
    assert asked == ["a", 1]
    for value in (1.5, b"", None):  # not covered, no member, and nothing
        check_refuses(complete, value)
