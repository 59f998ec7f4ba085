"""The documents of `graphql/operations/`: what GraphiQL opens with and clients copy."""

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

from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from schema.export import SDL_PATH, sdl
from tests.unit.schema.caller import Caller

Json = dict[str, Any]

DOCUMENTS = {path.stem: path.read_text(encoding="utf-8") for path in (SDL_PATH.parent / "operations").glob("*.graphql")}
GRAPHQL = build_schema(sdl())
SUBSCRIPTIONS = {"BoardEvents", "BoardState", "DashboardOverview"}
OTHERS = {"Board", "CreateCard", "DashboardNow", "DeleteCard", "MoveCard", "Projects", "UpdateCard"}

each_document = pytest.mark.parametrize("name", sorted(DOCUMENTS))


def operation_of(name: str) -> OperationDefinitionNode:
    (found,) = parse(DOCUMENTS[name]).definitions
    assert isinstance(found, OperationDefinitionNode)
    return found


def test_the_known_documents_are_there() -> None:
    assert set(DOCUMENTS) == SUBSCRIPTIONS | OTHERS


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
    assert (operation.operation.value == "subscription") is (name in SUBSCRIPTIONS)


@each_document
def test_document_begins_with_what_it_shows(name: str) -> None:
    first = DOCUMENTS[name].splitlines()[0]
    assert first.startswith("# ")
    assert len(first) > 20


@pytest.mark.parametrize("union", ["BoardEvent", "ConversationItem"])
def test_board_events_document_names_every_member(union: str) -> None:
    kind = GRAPHQL.type_map[union]
    assert isinstance(kind, GraphQLUnionType)
    assert [member.name for member in kind.types if f"... on {member.name} {{" not in DOCUMENTS["BoardEvents"]] == []


@each_document
def test_document_of_a_mutation_asks_why_it_was_refused(name: str) -> None:
    if operation_of(name).operation.value == "mutation":
        assert "... on Refusal {" in DOCUMENTS[name]


def variables_of(name: str, board: Board, card_id: str) -> Json:
    """What GraphiQL's user would fill in."""
    column_id = next(iter(board.state.columns))
    inputs: dict[str, Json] = {
        "CreateCard": {"columnId": column_id, "title": "Another"},
        "UpdateCard": {"cardId": card_id, "title": "New title"},
        "MoveCard": {"cardId": card_id, "toColumnId": column_id, "toIndex": 0},
        "DeleteCard": {"cardId": card_id},
    }
    return {"boardId": board.id, **({"input": inputs[name]} if name in inputs else {})}


@each_document
async def test_document_runs_within_the_limits(name: str, caller: Caller, board: Board) -> None:
    command = CreateCard(column_id=next(iter(board.state.columns)), title="A card")
    await caller.node.bus.execute(board.id, command)
    variables = variables_of(name, board, command.card_id)
    if name in SUBSCRIPTIONS:
        async with caller.subscribe(DOCUMENTS[name], **variables) as results:
            assert await results.next()
        return
    result = await caller.run(DOCUMENTS[name], **variables)
    assert result
    assert operation_of(name).operation.value == "query" or "code" not in result, result
