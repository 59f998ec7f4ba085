"""The cost of operations: computed from the fields of the answer, whatever the form of the document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError, OperationDefinitionNode, get_introspection_query, parse

from schema.operation_limits import OperationLimits
from schema.validation.operation_cost import MAX_OBJECTS, MAX_TYPED_VALUES, MAX_VALUES, MAX_VARIABLE_ERRORS, assess
from tests.kit.deadline import deadline
from tests.unit.schema.caller import Caller

OPERATIONS = sorted((Path(__file__).parents[3] / "graphql" / "operations").glob("*.graphql"))


def errors(schema: strawberry.Schema, text: str, most: int, **variables: Any) -> list[GraphQLError]:
    return list(assess(schema._schema, parse(text), None, variables, most).errors)  # noqa: SLF001 - no other way to it


def cost(schema: strawberry.Schema, text: str, **variables: Any) -> int:
    (error,) = errors(schema, text, -1, **variables)
    extensions: Any = error.extensions
    assert extensions["code"] == "COST_EXCEEDED", error
    return int(extensions["cost"])


_UNION = """
subscription { boardEvents(boardId: "b") { __typename ...G ... on Hello { cursor at: cursor } } }
fragment G on Gap { cursor }
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ __typename }", 1),
        ("{ projects { nodes { id } } }", 2 + 100),
        ("{ projects(first: 50) { nodes { id name } } }", 2 + 50 * 2),
        ("{ agents { label label } }", 1 + 20 * 2),
        ("{ a: agents { label } b: agents { label } }", 2 * 21),
        ("{ agents { ...F ...F } } fragment F on Agent { label }", 1 + 20 * 2),
        ("{ ... { ... on Query { agents { label } } } }", 21),
        ("{ agents @skip(if: true) { label } __typename }", 1),
        ("{ agents { label @include(if: false) agentKey } }", 21),
        ('{ events(boardId: "b") { nodes { cursor } } }', 2 + 100),
        ('{ events(boardId: "b", first: 7) { nodes { cursor } edges { cursor } pageInfo { endCursor } } }', 5 + 14),
        ('{ events(boardId: "b", first: 7) { ...P } } fragment P on EventConnection { nodes { cursor } }', 2 + 7),
        ('{ events(boardId: "b", first: null) { nodes { cursor } } }', 2 + 100),
        ('{ events(boardId: "b", first: 2000000000) { nodes { cursor } } }', 2 + 1000),
        ('{ events(boardId: "b", first: -3) { nodes { cursor } } }', 2),
        ('{ board(boardId: "b") { cards { attempts { nodes { id } } } } }', 2 + 200 * (2 + 20)),
        ('{ board(boardId: "b") { cards { attempts(first: null) { nodes { id } } } } }', 2 + 200 * (2 + 20)),
        ('{ board(boardId: "b") { cards { attempts(first: 3) { nodes { id } } } } }', 2 + 200 * (2 + 3)),
        (_UNION, 1 + 1 + 2),
    ],
)
def test_cost_is_by_fields_and_rows(text: str, expected: int, schema: strawberry.Schema) -> None:
    assert cost(schema, text) == expected


_PAGE = (
    'query ($f: Int! = 3, $s: Boolean = false) { events(boardId: "b", first: $f) { nodes @skip(if: $s) { cursor } } }'
)


@pytest.mark.parametrize(
    ("variables", "expected"), [({}, 2 + 3), ({"f": 9}, 2 + 9), ({"s": True}, 1), ({"s": False, "f": 1}, 2 + 1)]
)
def test_variables_and_their_defaults_count(variables: Any, expected: int, schema: strawberry.Schema) -> None:
    assert cost(schema, _PAGE, **variables) == expected


async def test_cost_of_fragments_is_counted_once_for_each(schema: strawberry.Schema) -> None:
    chain = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(60))
    async with deadline(2):
        assert cost(schema, f"{{ ...F0 }} {chain} fragment F60 on Query {{ __typename }}") == 2**60


@pytest.mark.parametrize("path", OPERATIONS, ids=lambda path: path.stem)
def test_operations_of_ours_are_far_below_the_limit(path: Path, schema: strawberry.Schema) -> None:
    text = path.read_text(encoding="utf-8")
    # As if all variables could be null: their content costs nothing, and `first` has defaults.
    for operation in (one for one in parse(text).definitions if isinstance(one, OperationDefinitionNode)):
        for definition in operation.variable_definitions or ():
            assert definition.variable.name.value != "first" or definition.default_value is not None
    found = errors(schema, text, OperationLimits().max_cost // 2, **_VARIABLES)
    assert [error for error in found if (error.extensions or {}).get("code") == "COST_EXCEEDED"] == []


_VARIABLES: dict[str, Any] = {"id": "b", "boardId": "b", "events": []}


def test_introspection_is_far_below_the_limit(schema: strawberry.Schema) -> None:
    text = get_introspection_query(
        descriptions=True, specified_by_url=True, schema_description=True, input_value_deprecation=True
    )
    assert errors(schema, text, OperationLimits().max_cost // 2) == []


async def test_too_dear_an_operation_is_refused_with_both_numbers(caller: Caller) -> None:
    text = '{ board(boardId: "b") { cards { attempts { nodes { logs { nodes { message } } } } } } }'
    message, extensions = await caller.refused(text)
    assert message.startswith("expected an operation that costs at most 50000, got one of 408402")
    assert extensions == {"code": "COST_EXCEEDED", "cost": 408_402, "maxCost": 50_000}


async def test_limit_is_that_of_the_server(caller: Caller) -> None:
    lower = Caller(caller.schema, caller.node, OperationLimits(max_cost=50))
    _, extensions = await lower.refused("{ projects { nodes { id } } }")
    assert extensions["cost"] == 102


def test_wrong_entries_of_variables_are_reported_up_to_a_number(schema: strawberry.Schema) -> None:
    text = "mutation ($events: [EventInput!]!) { publishEvents(events: $events) { __typename } }"
    found = errors(schema, text, 50_000, events=[1] * 50_000)
    assert len(found) == MAX_VARIABLE_ERRORS + 1
    assert found[-1].message.startswith("Too many errors processing variables")


async def test_variables_of_too_many_input_objects_are_refused_at_once(schema: strawberry.Schema) -> None:
    text = "mutation ($events: [EventInput!]!) { publishEvents(events: $events) { __typename } }"
    event = {"name": "agent.registered", "payload": {"objects": [{}] * 20}}
    assert errors(schema, text, 50_000, events=[event] * 1001) == []
    async with deadline(2):
        (error,) = errors(schema, text, 50_000, events=[event] * (MAX_OBJECTS + 1))
    assert error.message == f"expected at most {MAX_OBJECTS} input objects in the variables, got more"


async def test_variables_of_too_many_values_with_types_are_refused(schema: strawberry.Schema) -> None:
    text = 'query ($s: [AttemptStatus!]) { attempts(boardId: "b", status: $s) { nodes { id } } }'
    assert errors(schema, text, 50_000, s=["RUNNING"] * (MAX_TYPED_VALUES - 1)) == []
    (error,) = errors(schema, text, 50_000, s=["RUNNING"] * MAX_TYPED_VALUES)
    most = f"expected at most {MAX_TYPED_VALUES} values outside JSON in the variables"
    assert error.message == f"{most}, got {MAX_TYPED_VALUES + 1}"


async def test_input_object_of_thousands_of_unknown_fields_is_refused_at_once(schema: strawberry.Schema) -> None:
    text = "mutation ($events: [EventInput!]!) { publishEvents(events: $events) { __typename } }"
    event = {"name": "agent.registered", "payload": {}} | {f"unknown{n}": 0 for n in range(60_000)}
    (error,) = errors(schema, text, 50_000, events=[event])
    assert error.message == "expected fields of EventInput in the variables, got 60002 fields"


@pytest.mark.parametrize("value", [[0] * 300_000, {str(n): n for n in range(200_000)}, [[0] * 500] * 500])
async def test_variables_of_too_many_values_are_refused_at_once(value: Any, schema: strawberry.Schema) -> None:
    async with deadline(2):
        (error,) = errors(schema, "query ($v: JSON) { __typename }", 50_000, v=value)
    assert error.message == f"expected at most {MAX_VALUES} values in the variables, got more"
