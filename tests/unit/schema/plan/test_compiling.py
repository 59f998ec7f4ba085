"""A plan gives the same bytes as graphql-core, or nothing: random documents, and valid and invalid events."""

from __future__ import annotations

import os
from copy import deepcopy
from functools import cache
from typing import Any

import orjson
import pytest
from graphql import (
    ExecutionResult,
    GraphQLSchema,
    GraphQLUnionType,
    MiddlewareManager,
    get_named_type,
    is_required_argument,
    parse,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.execution.executor import BoundedExecutor
from schema.export import sdl
from schema.plan.compiling import Plan, compile_plan
from schema.root import make_schema
from tests.unit.schema.plan.documents import VARIABLES, core_schema, documents
from tests.unit.schema.plan.events import ROOT_FIELDS, events_of, put_in
from tests.unit.schema.selection import selection

Json = dict[str, Any]
PROPERTY = settings(deadline=None, max_examples=int(os.environ.get("BOARDCAST_TEST_EXAMPLES", "10")))
BOARD_STATE = 'subscription { boardState(boardId: "p1") '
BOARD_EVENTS = 'subscription { boardEvents(boardId: "p1") '
roots = pytest.mark.parametrize("root_field", ROOT_FIELDS)


@cache
def core() -> GraphQLSchema:
    """The schema of all these tests."""
    return core_schema(make_schema())


def executor_of(document: str, variables: Json | None = None, **more: Any) -> BoundedExecutor:
    """Build the executor of a document."""
    built = BoundedExecutor.build(core(), parse(document), None, None, variables, **more)
    assert isinstance(built, BoundedExecutor), built
    return built


def plan_of(document: str, variables: Json | None = None) -> Plan:
    """Compile a document that can be compiled."""
    plan = compile_plan(executor_of(document, variables))
    assert plan is not None, document
    return plan


def by_core(executor: BoundedExecutor, event: object) -> ExecutionResult:
    """Execute an event by graphql-core."""
    result = executor.build_per_event_executor(event).execute_operation(False)
    assert isinstance(result, ExecutionResult)
    return result


def encoded_by_core(executor: BoundedExecutor, event: object) -> bytes | None:
    """Return the bytes of a result; None if it has errors or cannot be written."""
    result = by_core(executor, event)
    try:
        return None if result.errors else orjson.dumps(result.data)
    except orjson.JSONEncodeError:
        return None


@roots
@PROPERTY
@given(st.data())
def test_plan_gives_the_bytes_of_graphql_core(root_field: str, data: st.DataObject) -> None:
    variables, events = data.draw(VARIABLES), events_of(root_field)
    for _ in range(2):  # the second document finds the cached data of the first in the cards
        document = data.draw(documents(core(), root_field))
        executor, plan = executor_of(document, variables), plan_of(document, variables)
        for event in events:
            expected = encoded_by_core(executor, event)
            assert expected is not None
            assert plan.encoded(event) == expected
            assert plan.encoded(event) == expected  # again, from the cache


@roots
@PROPERTY
@given(st.data())
def test_plan_gives_nothing_where_graphql_core_has_errors(root_field: str, data: st.DataObject) -> None:
    document, variables = data.draw(documents(core(), root_field)), data.draw(VARIABLES)
    event = deepcopy(data.draw(st.sampled_from(events_of(root_field))))
    put_in(data.draw, event)
    put_in(data.draw, event)
    executor, plan = executor_of(document, variables), plan_of(document, variables)
    expected = encoded_by_core(executor, event)
    # None is always correct, but slow. A valid event must not get it, as the previous test shows.
    assert plan.encoded(event) in {expected, None}
    assert plan.encoded(event) in {expected, None}


def test_events_of_these_tests_are_of_every_kind() -> None:
    root = core().subscription_type
    assert root is not None
    assert set(root.fields) == set(ROOT_FIELDS)
    for root_field in ROOT_FIELDS:
        kind = get_named_type(root.fields[root_field].type)
        members = kind.types if isinstance(kind, GraphQLUnionType) else (kind,)
        assert {type(event).__name__ for event in events_of(root_field)} == {member.name for member in members}


@roots
def test_all_that_an_event_holds_itself_is_covered(root_field: str) -> None:
    root = core().subscription_type
    assert root is not None
    found = root.fields[root_field]
    required = ", ".join(f'{name}: "p1"' for name, one in found.args.items() if is_required_argument(one))
    arguments = f"({required})" if required else ""
    document = f"subscription {{ {root_field}{arguments} {selection(sdl(), get_named_type(found.type).name)} }}"
    executor, plan = executor_of(document), plan_of(document)
    for event in events_of(root_field):
        assert plan.encoded(event) == encoded_by_core(executor, event) is not None


@pytest.mark.parametrize(
    "document",
    [
        BOARD_STATE + "{ project { name } } }",
        BOARD_STATE + "{ cards { attempts { nodes { id } } } } }",
        "subscription { __typename }",
        BOARD_STATE + '{ cursor } other: boardState(boardId: "p1") { cursor } }',
        BOARD_STATE + "{ nonsense } }",
        "subscription ($b: Boolean = true) { " + BOARD_STATE.partition("{ ")[2] + "{ cursor @include(if: $b) } }",
    ],
    ids=["loader", "loader below a list", "no field", "two fields", "unknown field", "null condition"],
)
def test_unplannable_document_is_left_to_graphql_core(document: str) -> None:
    assert compile_plan(executor_of(document, {"b": None} if "$b" in document else None)) is None


def test_schema_with_middleware_is_left_to_graphql_core() -> None:
    middleware = MiddlewareManager(lambda following, *given, **named: following(*given, **named))
    assert compile_plan(executor_of(BOARD_STATE + "{ cursor } }", middleware=middleware)) is None
    assert compile_plan(executor_of(BOARD_STATE + "{ cursor } }", middleware=MiddlewareManager())) is not None


def test_member_that_waits_leaves_the_other_members_planned() -> None:
    plan = plan_of(
        BOARD_EVENTS
        + "{ __typename ... on AttemptLogAppended { attempt { id } } ... on GitPushCompleted { remote } } }"
    )
    encoded = {type(event).__name__: plan.encoded(event) for event in events_of("boardEvents")}
    assert encoded["AttemptLogAppended"] is None
    assert encoded["GitPushCompleted"] == b'{"boardEvents":{"__typename":"GitPushCompleted","remote":"origin"}}'
    assert encoded["GitStatusChanged"] == b'{"boardEvents":{"__typename":"GitStatusChanged"}}'


def test_cards_are_kept_for_just_what_was_selected() -> None:
    event = events_of("boardState")[0]
    for below in ("url", "issueNumber", "url: issueNumber", "__typename"):
        document = f"{BOARD_STATE} {{ cards {{ githubIssue {{ {below} }} }} }} }}"
        expected = encoded_by_core(executor_of(document), event)
        assert plan_of(document).encoded(event) == expected is not None


def test_resolver_that_raises_is_left_to_graphql_core() -> None:
    document = BOARD_STATE + "{ columns { cards { id } } } }"
    event = events_of("boardState")[0]
    del event.state.cards["k1"]  # a column still contains it
    result = by_core(executor_of(document), event)
    assert result.errors is not None
    assert result.errors[0].path == ["boardState", "columns", 0, "cards"]
    assert plan_of(document).encoded(event) is None
