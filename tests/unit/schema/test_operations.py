"""The documents of `graphql/operations/`, which GraphiQL opens and clients copy."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    is_abstract_type,
    parse,
    validate,
    visit,
)

from realtime.global_ids import Kind, global_id
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.kanban.grants import Action
from realtime.service import CreateToken
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
SUBSCRIPTIONS = {"AttemptEvents", "BoardChanges", "BoardEvents", "BoardState", "DashboardEvents", "DashboardOverview"}
QUERIES = {
    *("AccessTokens", "Agents", "Attempt", "Attempts", "Board", "DashboardNow", "Events", "Node", "Nodes"),
    *("Project", "Projects"),
}
MUTATIONS = {
    *("CreateCard", "UpdateCard", "MoveCard", "DeleteCard"),
    *("CreateProject", "UpdateProject", "DeleteProject"),
    *("QueueAttempt", "StopAttempt", "PublishEvents", "CreateAccessToken", "RevokeAccessToken", "Authenticate"),
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
        ("AttemptEvents", "AttemptEvent"),
        ("BoardEvents", "ConversationItem"),
        ("Attempt", "ConversationItem"),
        ("DashboardEvents", "DashboardEvent"),
        ("DashboardEvents", "InboxItem"),
    ],
)
def test_document_names_every_member_of_an_abstract_type(document: str, union: str) -> None:
    kind = GRAPHQL.type_map[union]
    assert isinstance(kind, GraphQLUnionType | GraphQLInterfaceType)
    assert [
        member.name
        for member in GRAPHQL.get_possible_types(kind)
        if f"... on {member.name} {{" not in DOCUMENTS[document]
    ] == []


#: Its refusals are errors, and it needs a WebSocket: `tests/live/test_new_tokens.py` runs it.
_OF_SOCKETS = {"Authenticate"}


@pytest.mark.parametrize("name", sorted(MUTATIONS - _OF_SOCKETS))
def test_document_of_a_mutation_asks_why_it_was_refused(name: str) -> None:
    assert "... on Refusal {" in DOCUMENTS[name]


def variables_of(name: str, board: Board, card_id: str, attempt_id: str, token_id: str) -> Json:
    """The values that a user of GraphiQL would enter."""
    column_id = next(iter(board.state.columns))
    inputs: dict[str, Json] = {
        "CreateCard": {"columnId": column_id, "title": "Another"},
        "UpdateCard": {"cardId": card_id, "title": "New title"},
        "MoveCard": {"cardId": card_id, "toColumnId": column_id, "toIndex": 0},
        "DeleteCard": {"cardId": card_id},
        "CreateAccessToken": {"name": "ci", "boards": ["*"], "can": ["READ"]},
        "CreateProject": {"name": "Another", "repositoryPath": "/srv/another"},
        "UpdateProject": {"name": "New name"},
        "QueueAttempt": {"cardId": card_id, "agentKey": "CODEX"},
        "StopAttempt": {"attemptId": attempt_id},
    }
    line = {"attemptId": attempt_id, "boardId": board.id, "level": "info", "message": "It goes on."}
    sample = next((one for one in SAMPLES if name == f"Publish{family_of(one).title()}Event"), None)
    given: Json = {
        "boardId": board.id,
        "projectId": board.id,
        "attemptId": attempt_id,
        "node": global_id(Kind.CARD, board.id, card_id),
        "nodes": [global_id(Kind.CARD, board.id, card_id)],
        "input": inputs.get(name),
        "tokenId": token_id,
        "events": [{"name": "attempt.log.appended", "payload": line}],
        "event": event_argument(sample, SAMPLES[sample]) if sample else None,
    }
    return {name: value for name, value in given.items() if value is not None}


@pytest.mark.parametrize("name", sorted(DOCUMENTS.keys() - _OF_SOCKETS))
async def test_document_runs_within_the_limits(name: str, caller: Caller, board: Board) -> None:
    command = CreateCard(column_id=next(iter(board.state.columns)), title="A card")
    tried = CreateCard(column_id=next(iter(board.state.columns)), title="A card that is tried")
    attempt = QueueAttempt(card_id=tried.card_id, agent="CODEX")
    await caller.node.bus.execute(board.id, command, tried, attempt)
    await publish(caller.node, event("agent.registered", {"agent": "CODEX"}))
    made = await caller.node.tokens.create(CreateToken(name="old", boards=["*"], can=[Action.READ]))
    variables = variables_of(name, board, command.card_id, attempt.new_id, made.token.id)
    if name in SUBSCRIPTIONS:
        async with caller.subscribe(DOCUMENTS[name], **variables) as results:
            assert await results.next()
        return
    result = await caller.run(DOCUMENTS[name], **variables)
    assert result
    assert name in QUERIES or {"cursor", "accepted", "secret", "tokenId"} & result.keys(), result


class _Untyped(Visitor):
    """Collects the selections of unions and interfaces that leave out `__typename`."""

    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self.found: list[str] = []
        self._types = types

    def enter_selection_set(self, node: SelectionSetNode, _key: object, parent: object, *_: object) -> None:
        """Check what is selected of one field; inside its fragments the type is known."""
        kind = self._types.get_parent_type()
        names = {one.name.value for one in node.selections if isinstance(one, FieldNode)}
        if isinstance(parent, FieldNode) and is_abstract_type(kind) and "__typename" not in names:
            self.found.append(str(kind))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_asks_which_type_it_gets(name: str) -> None:
    document, types = parse(DOCUMENTS[name]), TypeInfo(GRAPHQL)
    untyped = _Untyped(types)
    visit(document, TypeInfoVisitor(types, untyped))
    assert untyped.found == []
