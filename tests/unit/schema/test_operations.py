"""The documents of `graphql/operations/`, which GraphiQL opens and clients copy."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLUnionType,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)

from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from schema.export import SDL_PATH, sdl
from schema.types.event_inputs import FAMILIES
from tests.kit.nodes import publish
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import SAMPLES
from tests.unit.schema.caller import Caller
from tests.unit.schema.event_arguments import event_argument, family_of

Json = dict[str, Any]

DOCUMENTS = {path.stem: path.read_text(encoding="utf-8") for path in (SDL_PATH.parent / "operations").glob("*.graphql")}
GRAPHQL = build_schema(sdl())
SUBSCRIPTIONS = {"BoardChanges", "BoardEvents", "BoardState", "DashboardEvents", "DashboardOverview"}
QUERIES = {"Agents", "Attempt", "Attempts", "Board", "DashboardNow", "Events", "Project", "Projects"}
MUTATIONS = {
    *("CreateCard", "UpdateCard", "MoveCard", "DeleteCard"),
    *("CreateProject", "UpdateProject", "DeleteProject"),
    *("QueueAttempt", "StopAttempt", "PublishEvents"),
    *(f"Publish{family.title()}Event" for family in FAMILIES),
}

each_document = pytest.mark.parametrize("name", sorted(DOCUMENTS))


def operation_of(name: str) -> OperationDefinitionNode:
    (found,) = parse(DOCUMENTS[name]).definitions
    assert isinstance(found, OperationDefinitionNode)
    return found


def test_the_known_documents_are_there() -> None:
    assert set(DOCUMENTS) == SUBSCRIPTIONS | QUERIES | MUTATIONS


@pytest.mark.parametrize("root", ["Query", "Mutation", "Subscription"])
def test_every_root_field_has_a_document(root: str) -> None:
    kind = GRAPHQL.type_map[root]
    assert isinstance(kind, GraphQLObjectType)
    asked = set()
    for name in DOCUMENTS:
        operation = operation_of(name)
        (field,) = operation.selection_set.selections
        assert isinstance(field, FieldNode)
        if operation.operation.value == root.lower():
            asked.add(field.name.value)
    assert asked == set(kind.fields)


@each_document
def test_document_is_valid_and_named_like_its_file(name: str) -> None:
    operation = operation_of(name)
    assert operation.name is not None
    assert operation.name.value == name
    assert validate(GRAPHQL, parse(DOCUMENTS[name])) == []
    kinds = {"subscription": SUBSCRIPTIONS, "query": QUERIES, "mutation": MUTATIONS}
    assert name in kinds[operation.operation.value]


@each_document
def test_document_begins_with_what_it_shows(name: str) -> None:
    first = DOCUMENTS[name].splitlines()[0]
    assert first.startswith("# ")
    assert len(first) > 20


@pytest.mark.parametrize(
    ("document", "union"),
    [
        ("BoardChanges", "BoardChange"),
        ("BoardEvents", "BoardEvent"),
        ("BoardEvents", "ConversationItem"),
        ("Attempt", "ConversationItem"),
        ("DashboardEvents", "DashboardEvent"),
        ("DashboardEvents", "InboxItem"),
    ],
)
def test_document_names_every_member_of_a_union(document: str, union: str) -> None:
    kind = GRAPHQL.type_map[union]
    assert isinstance(kind, GraphQLUnionType)
    assert [member.name for member in kind.types if f"... on {member.name} {{" not in DOCUMENTS[document]] == []


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_document_of_a_mutation_asks_why_it_was_refused(name: str) -> None:
    assert "... on Refusal {" in DOCUMENTS[name]


def variables_of(name: str, board: Board, card_id: str, attempt_id: str) -> Json:
    """The values that a user of GraphiQL would enter."""
    column_id = next(iter(board.state.columns))
    inputs: dict[str, Json] = {
        "CreateCard": {"columnId": column_id, "title": "Another"},
        "UpdateCard": {"cardId": card_id, "title": "New title"},
        "MoveCard": {"cardId": card_id, "toColumnId": column_id, "toIndex": 0},
        "DeleteCard": {"cardId": card_id},
        "CreateProject": {"name": "Another", "repositoryPath": "/srv/another"},
        "UpdateProject": {"name": "New name"},
        "QueueAttempt": {"cardId": card_id, "agent": "CODEX"},
        "StopAttempt": {"attemptId": attempt_id},
    }
    line = {"attemptId": attempt_id, "boardId": board.id, "level": "info", "message": "It goes on."}
    sample = next((one for one in SAMPLES if name == f"Publish{family_of(one).title()}Event"), None)
    given: Json = {
        "boardId": board.id,
        "projectId": board.id,
        "attemptId": attempt_id,
        "input": inputs.get(name),
        "events": [{"name": "attempt.log.appended", "payload": line}],
        "event": event_argument(sample, SAMPLES[sample]) if sample else None,
    }
    return {name: value for name, value in given.items() if value is not None}


@each_document
async def test_document_runs_within_the_limits(name: str, caller: Caller, board: Board) -> None:
    command = CreateCard(column_id=next(iter(board.state.columns)), title="A card")
    tried = CreateCard(column_id=next(iter(board.state.columns)), title="A card that is tried")
    attempt = QueueAttempt(card_id=tried.card_id, agent="CODEX")
    await caller.node.bus.execute(board.id, command, tried, attempt)
    await publish(caller.node, event("agent.registered", {"agent": "CODEX"}))
    variables = variables_of(name, board, command.card_id, attempt.new_id)
    if name in SUBSCRIPTIONS:
        async with caller.subscribe(DOCUMENTS[name], **variables) as results:
            assert await results.next()
        return
    result = await caller.run(DOCUMENTS[name], **variables)
    assert result
    assert name in QUERIES or {"cursor", "accepted"} & result.keys(), result
