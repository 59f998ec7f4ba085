"""No document of a client can make the server fail: it is executed, or refused with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest
import strawberry
from graphql import GraphQLObjectType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema.execution.context import Context
from schema.root import make_schema
from tests.kit.deadline import deadline
from tests.kit.nodes import TESTER

_NAMES = st.sampled_from(
    [
        *("projects", "board", "events", "attempts", "agents", "dashboardOverview", "boardEvents", "createCard"),
        *("id", "cards", "columns", "nodes", "edges", "cursor", "attempts", "logs", "card", "first", "boardId", "if"),
        *("__typename", "__schema", "__type", "types", "fields", "name", "Z", "F", "G", "Query", "Card", "BoardState"),
    ]
)
_VALUES: st.SearchStrategy[str] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["null", "true", "1", "-0", "1e400", "9" * 400, '""', '"p1"', '"""b"""', "ENUM", "$v", "$w"]),
        st.sampled_from(['"\\ud800"', '"\\u{110000}"', '"\\q"', '"', "[", "{"]),
        st.lists(_VALUES, max_size=3).map(lambda parts: f"[{' '.join(parts)}]"),
        st.lists(st.tuples(_NAMES, _VALUES), max_size=3).map(
            lambda parts: "{" + " ".join(f"{name}: {value}" for name, value in parts) + "}"
        ),
    )
)
_ARGUMENTS = st.lists(st.tuples(_NAMES, _VALUES), max_size=3).map(
    lambda parts: "(" + " ".join(f"{name}: {value}" for name, value in parts) + ")" if parts else ""
)
_DIRECTIVES = st.lists(
    st.tuples(st.sampled_from(["skip", "include", "nope", "deprecated", "listSize"]), _ARGUMENTS), max_size=2
).map(lambda parts: " ".join(f"@{name}{arguments}" for name, arguments in parts))
_SELECTIONS: st.SearchStrategy[str] = st.deferred(
    lambda: st.lists(
        st.one_of(
            st.builds(
                "{}{}{} {} {}".format,
                st.sampled_from(["", "", "a: "]),
                _NAMES,
                _ARGUMENTS,
                _DIRECTIVES,
                st.one_of(st.just(""), _SELECTIONS),
            ),
            st.builds("...{} {}".format, st.sampled_from(["F", "G", "Z"]), _DIRECTIVES),
            st.builds("... on {} {} {}".format, _NAMES, _DIRECTIVES, _SELECTIONS),
            st.builds("... {} {}".format, _DIRECTIVES, _SELECTIONS),
        ),
        max_size=3,
    ).map(lambda parts: "{" + " ".join(parts) + "}")
)
_DEFINITIONS = st.one_of(
    _SELECTIONS,
    st.builds(
        "{} {} {} {} {}".format,
        st.sampled_from(["query", "mutation", "subscription"]),
        st.sampled_from(["", "A", "B"]),
        st.sampled_from(
            ["", "($v: Int = 5)", "($v: ID, $w: JSON)", "($v: Nope)", "($v: Card)", "($v: [Int!]! = null)"]
        ),
        _DIRECTIVES,
        _SELECTIONS,
    ),
    st.builds("fragment {} on {} {} {}".format, st.sampled_from(["F", "G"]), _NAMES, _DIRECTIVES, _SELECTIONS),
    st.sampled_from(["type Query { a: Int }", "extend type Card { a: Int }", "directive @x on FIELD", "# c", "\ufeff"]),
)
_DOCUMENTS = st.one_of(
    st.lists(_DEFINITIONS, min_size=1, max_size=3).map("\n".join),
    st.text(max_size=40),
)
_VARIABLES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from(["v", "w"]), st.sampled_from([None, 1, "x", [], {}, [None], 1e300, True]), max_size=2
)


@pytest.fixture(scope="module")
def schema() -> strawberry.Schema:
    """The schema with fields that return nothing, because these tests do not concern resolvers."""
    made = make_schema()
    for kind in (made._schema.query_type, made._schema.mutation_type):  # noqa: SLF001 - no other way to it
        assert isinstance(kind, GraphQLObjectType)
        for field in kind.fields.values():
            field.resolve = lambda *_, **__: None
    return made


_ONE_BY_ONE = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@given(document=_DOCUMENTS, variables=_VARIABLES, name=st.sampled_from([None, "A", "B", "C"]))
@_ONE_BY_ONE
def test_no_document_makes_the_server_fail(
    document: str, variables: dict[str, Any], name: str | None, schema: strawberry.Schema
) -> None:
    codes = asyncio.run(_codes(schema, document, variables, name))
    assert "INTERNAL_SERVER_ERROR" not in codes


async def _codes(schema: strawberry.Schema, document: str, variables: dict[str, Any], name: str | None) -> list[str]:
    service: Any = object()  # no executed code uses it
    async with deadline(5):
        results = await schema.stream(document, variables, Context(service, TESTER), operation_name=name)
        async with aclosing(results):
            async for result in results:
                return list(_codes_of(result))
    return []


def _codes_of(result: Any) -> Iterator[str]:
    for error in result.errors or ():
        # The fields of this test return null, which is not a valid board.
        if "Cannot return null" not in str(error.original_error):
            yield (error.extensions or {}).get("code", "")
