"""The choice of the operation of a document (GraphQL, October 2021, section 6.1, GetOperation)."""

from __future__ import annotations

import pytest
import strawberry
from strawberry.types import ExecutionResult

from tests.kit.contexts import context_on
from tests.kit.deadline import deadline
from tests.unit.schema.caller import Caller, error_of

TWO = "query First { __typename } mutation Second { __typename }"
REFUSAL = ("expected operationName, for the document has 2 operations", {"code": "OPERATION_NOT_AVAILABLE"})


async def result_of(caller: Caller, document: str, name: str | None = None) -> ExecutionResult:
    """Run a document as every transport does; return its only result."""
    async with deadline(5):
        stream = await caller.schema.stream(document, None, context_on(caller.node), operation_name=name)
        (result,) = [one async for one in stream]
    assert isinstance(result, strawberry.types.ExecutionResult)
    return result


@pytest.mark.parametrize("document", [TWO, "subscription A { __typename } subscription B { __typename }"])
async def test_several_operations_without_a_name_are_refused(caller: Caller, document: str) -> None:
    """If {operationName} is {null}: […] Otherwise raise a request error requiring {operationName}."""
    result = await result_of(caller, document)
    assert result.data is None
    assert error_of(result.errors or []) == REFUSAL


@pytest.mark.parametrize(("name", "root"), [("First", "Query"), ("Second", "Mutation")])
async def test_named_operation_of_several_is_executed(caller: Caller, name: str, root: str) -> None:
    assert (await result_of(caller, TWO, name)).data == {"__typename": root}


async def test_only_operation_needs_no_name(caller: Caller) -> None:
    document = "query ($x: ID = 1) { ...F board(boardId: $x) { cursor } } fragment F on Query { __typename }"
    assert (await result_of(caller, document)).data == {"__typename": "Query", "board": None}


async def test_document_that_does_not_parse_is_reported_as_such(caller: Caller) -> None:
    _, extensions = error_of((await result_of(caller, "query A {")).errors or [])
    assert extensions == {"code": "GRAPHQL_PARSE_FAILED"}
