"""Equal subscriptions share a plan. A difference in the selection makes another plan."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import DocumentNode, GraphQLSchema, parse

from schema.execution.executor import BoundedExecutor
from schema.plan.plans import Plans
from schema.root import make_schema
from tests.unit.schema.plan.documents import core_schema

DOCUMENT = """subscription ($board: ID!, $long: Boolean! = false, $skip: Boolean) {
    boardState(boardId: $board) { cursor columnOrder @include(if: $long) } }"""


@pytest.fixture(scope="module")
def core() -> GraphQLSchema:
    """The schema."""
    return core_schema(make_schema())


def executor_of(core: GraphQLSchema, document: DocumentNode, **variables: Any) -> BoundedExecutor:
    """Build the executor of a document."""
    built = BoundedExecutor.build(core, document, None, None, {"board": "p1", **variables})
    assert isinstance(built, BoundedExecutor), built
    return built


def test_subscribers_of_different_boards_share_a_plan(core: GraphQLSchema) -> None:
    document, plans = parse(DOCUMENT), Plans()
    plan = plans.plan_of(executor_of(core, document))
    assert plan is not None
    assert plans.plan_of(executor_of(core, document, board="p2", long=False)) is plan
    assert len(plans) == 1


def test_condition_makes_a_plan_of_its_own(core: GraphQLSchema) -> None:
    document, plans = parse(DOCUMENT), Plans()
    short = plans.plan_of(executor_of(core, document))
    long = plans.plan_of(executor_of(core, document, long=True))
    assert short is not long
    assert plans.plan_of(executor_of(core, document)) is short


def test_same_operation_of_another_document_is_another(core: GraphQLSchema) -> None:
    operation, plans = 'subscription { boardState(boardId: "p1") { ...F } }', Plans()
    one, other = (parse(f"{operation} fragment F on BoardState {{ {name} }}") for name in ("cursor", "columnOrder"))
    assert one.definitions[0] == other.definitions[0]
    assert plans.plan_of(executor_of(core, one)) is not plans.plan_of(executor_of(core, other))


def test_operation_without_a_plan_is_looked_at_once(core: GraphQLSchema) -> None:
    document, plans = parse('subscription { boardState(boardId: "p1") { project { id } } }'), Plans()
    for _ in range(2):
        assert plans.plan_of(executor_of(core, document)) is None
    assert len(plans) == 1


def test_least_used_plans_are_forgotten(core: GraphQLSchema) -> None:
    plans = Plans(most=2)
    documents = [parse(DOCUMENT) for _ in range(3)]
    first, second = (plans.plan_of(executor_of(core, document)) for document in documents[:2])
    assert plans.plan_of(executor_of(core, documents[0])) is first
    plans.plan_of(executor_of(core, documents[2]))
    assert len(plans) == 2
    assert plans.plan_of(executor_of(core, documents[0])) is first
    assert plans.plan_of(executor_of(core, documents[1])) is not second
