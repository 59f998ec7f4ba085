"""The schema as a whole: limits, introspection, and hidden data, for every way of executing an operation."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry
from graphql import get_introspection_query

from realtime.backends.sql.store import SqlStore
from schema.validation.document_cache import MAX_TOKENS
from schema.validation.document_size import MAX_ALIASES, MAX_DEPTH
from tests.kit.contexts import context_on
from tests.kit.deadline import deadline
from tests.unit.schema.caller import Caller, error_of


async def test_introspection_of_graphiql_is_within_the_limits(caller: Caller) -> None:
    document = get_introspection_query(
        descriptions=True, specified_by_url=True, schema_description=True, input_value_deprecation=True
    )
    assert len((await caller.run(document))["types"]) > 80


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            f"{{ {' '.join(f'p{n}: projects {{ nodes {{ id }} }}' for n in range(MAX_ALIASES + 1))} }}",
            "51 aliases found",
        ),
        (f"{{ {' '.join(['__typename'] * (MAX_TOKENS + 1))} }}", "Syntax Error: Document contains more than 5000"),
    ],
    ids=["aliases", "tokens"],
)
async def test_document_beyond_a_limit_is_refused(caller: Caller, document: str, message: str) -> None:
    text, extensions = await caller.refused(document)
    assert text.startswith(message)
    assert extensions["code"] in {"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED"}


async def test_document_beyond_the_depth_is_refused(caller: Caller) -> None:
    # No type of the schema is that deep, so the fields are unknown too. The depth is reported separately.
    document = "{" + "projects {" * (MAX_DEPTH + 1) + "id" + "}" * (MAX_DEPTH + 2)
    async with deadline(5):
        result = await caller.schema.execute(document, None, context_on(caller.node))
    assert result.errors is not None
    assert f"'anonymous' exceeds maximum operation depth of {MAX_DEPTH}" in [error.message for error in result.errors]


async def test_aliases_at_the_limit_are_served(caller: Caller) -> None:
    fields = " ".join(f"p{n}: projects {{ nodes {{ id }} }}" for n in range(MAX_ALIASES))
    assert await caller.run(f"{{ {fields} }}") == {"nodes": []}


@pytest.mark.parametrize(
    ("document", "code"),
    [("{", "GRAPHQL_PARSE_FAILED"), ("{ nothing }", "GRAPHQL_VALIDATION_FAILED")],
)
async def test_error_in_the_document_is_reported(caller: Caller, document: str, code: str) -> None:
    message, extensions = await caller.refused(document)
    assert message != "Internal error"
    assert extensions == {"code": code}


async def streamed(caller: Caller, document: str, name: str | None = None) -> tuple[str, dict[str, Any]]:
    """Run an operation of any kind as WebSockets do; return its error."""
    async with deadline(5):
        stream = await caller.schema.stream(document, None, context_on(caller.node), operation_name=name)
        (result,) = [one async for one in stream]
    assert isinstance(result, strawberry.types.ExecutionResult)
    assert result.errors is not None
    return error_of(result.errors)


@pytest.mark.parametrize("way", ["execute", "stream"])
async def test_fault_in_a_resolver_is_hidden_and_logged_once(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(SqlStore, "projects", broken)
    document = "{ projects { nodes { id } } }"
    shown = await (caller.refused(document) if way == "execute" else streamed(caller, document))
    assert shown == ("Internal error", {"code": "INTERNAL_SERVER_ERROR"})
    assert len(caplog.records) == 1
    assert "swordfish" in caplog.text


async def test_unknown_operation_name_is_reported_on_a_stream(caller: Caller) -> None:
    shown = await streamed(caller, "query A { __typename }", "B")
    assert shown == ('Unknown operation named "B".', {"code": "OPERATION_NOT_AVAILABLE"})


async def test_query_is_not_allowed_where_subscriptions_are(caller: Caller) -> None:
    async with caller.subscribe("{ __typename }") as results:
        assert await results.refusal() == ("queries are not allowed", {"code": "OPERATION_NOT_AVAILABLE"})
