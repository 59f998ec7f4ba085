"""`node`, `nodes` and arguments: every thing is found by its `id`, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, build_schema

from realtime.global_ids import Kind, global_id
from realtime.kanban.board import Board
from realtime.node import Node
from schema.export import sdl
from tests.kit.nodes import BOARD, create_board, publish
from tests.kit.publishing import event
from tests.unit.schema.caller import Caller

Json = dict[str, Any]
NODE = """query ($id: ID!) { node(id: $id) { __typename id
    ... on BoardState { boardId } ... on Project { projectId name } ... on Column { columnId boardId title }
    ... on Card { cardId boardId title } ... on Attempt { attemptId boardId cardId } ... on Agent { agentKey }
    ... on Profile { profileId } } }"""
OTHER = "p2"


def state(title: str) -> Json:
    """A state with the column `c` and the card `k`."""
    card = {"id": "k", "title": title}
    column = {"id": "c", "title": title, "cardIds": ["k"]}
    return {"columns": {"c": column}, "columnOrder": ["c"], "cards": {"k": card}}


@pytest.fixture
async def boards(node: Node, board: Board) -> None:
    """Two boards whose column, card and attempt have equal ids, and an agent."""
    await create_board(node, OTHER, "Beta")
    for board_id in (BOARD, OTHER):
        attempt = {"boardId": board_id, "attemptId": "a", "cardId": "k", "agent": "CODEX"}
        await publish(
            node,
            event("board.state.changed", {"boardId": board_id, "state": state(f"of {board_id}")}),
            event("attempt.queued", attempt),
        )
    profile = {"profileId": "y", "agent": "CODEX", "kind": "created", "label": None}
    await publish(node, event("agent.registered", {"agent": "CODEX"}), event("agent.profile.changed", profile))


@pytest.mark.parametrize("board_id", [BOARD, OTHER])
async def test_each_thing_of_two_boards_is_found_by_its_id(caller: Caller, boards: None, board_id: str) -> None:
    title = f"of {board_id}"
    expected: dict[Kind, tuple[str, Json]] = {
        Kind.BOARD: (board_id, {"__typename": "BoardState", "boardId": board_id}),
        Kind.PROJECT: (board_id, {"__typename": "Project", "projectId": board_id}),
        Kind.COLUMN: ("c", {"__typename": "Column", "columnId": "c", "boardId": board_id, "title": title}),
        Kind.CARD: ("k", {"__typename": "Card", "cardId": "k", "boardId": board_id, "title": title}),
        Kind.ATTEMPT: ("a", {"__typename": "Attempt", "attemptId": "a", "boardId": board_id, "cardId": "k"}),
    }
    for kind, (id, fields) in expected.items():
        named = global_id(kind, board_id, id)
        shown = await caller.run(NODE, id=named)
        shown.pop("name", None)
        assert shown == {"id": named, **fields}


async def test_agents_and_profiles_are_found_by_their_ids(caller: Caller, boards: None) -> None:
    (agent,) = await caller.run("{ agents { id profiles { id } } }")
    assert await caller.run(NODE, id=agent["id"]) == {"__typename": "Agent", "id": agent["id"], "agentKey": "CODEX"}
    (profile,) = agent["profiles"]
    found = await caller.run(NODE, id=profile["id"])
    assert found == {"__typename": "Profile", "id": profile["id"], "profileId": "y"}


@pytest.mark.parametrize(
    "id",
    [
        "k",
        "",
        BOARD,
        global_id(Kind.CARD, BOARD, "gone"),
        global_id(Kind.COLUMN, BOARD, "gone"),
        global_id(Kind.CARD, "nowhere", "k"),
        global_id(Kind.BOARD, "nowhere", "nowhere"),
        global_id(Kind.BOARD, BOARD, OTHER),
        global_id(Kind.PROJECT, BOARD, OTHER),
        global_id(Kind.AGENT, "CODEX", "OTHER"),
        global_id(Kind.AGENT, "OTHER", "OTHER"),
    ],
)
async def test_id_of_nothing_is_null(caller: Caller, boards: None, id: str) -> None:
    assert await caller.run(NODE, id=id) is None


async def test_nodes_come_in_their_order_with_null_for_nothing(caller: Caller, boards: None) -> None:
    ids = [global_id(Kind.CARD, OTHER, "k"), "k", global_id(Kind.PROJECT, BOARD, BOARD)]
    shown = await caller.run("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids)
    assert shown == [{"__typename": "Card", "id": ids[0]}, None, {"__typename": "Project", "id": ids[2]}]


async def test_too_many_nodes_are_refused(caller: Caller) -> None:
    message, extensions = await caller.refused(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=[str(n) for n in range(101)]
    )
    assert (message, extensions["code"]) == ("ids: expected at most 100 ids, got 101", "BAD_USER_INPUT")


async def test_deleted_thing_is_null(caller: Caller, node: Node, boards: None) -> None:
    await publish(node, event("project.deleted", {"projectId": OTHER}))
    for kind, id in ((Kind.BOARD, OTHER), (Kind.PROJECT, OTHER), (Kind.CARD, "k"), (Kind.ATTEMPT, "a")):
        assert await caller.run(NODE, id=global_id(kind, OTHER, id)) is None


@pytest.mark.parametrize("board_id", [BOARD, OTHER])
async def test_argument_takes_either_id(caller: Caller, boards: None, board_id: str) -> None:
    ids = (board_id, global_id(Kind.BOARD, board_id, board_id), global_id(Kind.PROJECT, board_id, board_id))
    for named in ids:
        assert await caller.run("query ($id: ID!) { board(boardId: $id) { boardId } }", id=named) == {
            "boardId": board_id
        }
        assert await caller.run("query ($id: ID!) { project(projectId: $id) { projectId } }", id=named) == {
            "projectId": board_id
        }
        for card in ("k", global_id(Kind.CARD, board_id, "k")):
            shown = await caller.run(
                "query ($id: ID!, $card: ID!) { attempts(boardId: $id, cardId: $card) { nodes { id } } }",
                id=named,
                card=card,
            )
            assert shown == {"nodes": [{"id": global_id(Kind.ATTEMPT, board_id, "a")}]}


async def test_attempt_is_named_by_board_and_id_or_by_its_own(caller: Caller, boards: None) -> None:
    document = "query ($id: ID!, $board: ID) { attempt(attemptId: $id, boardId: $board) { boardId attemptId } }"
    own = global_id(Kind.ATTEMPT, OTHER, "a")
    for given in ({"id": "a", "board": OTHER}, {"id": own}, {"id": own, "board": OTHER}):
        assert await caller.run(document, **given) == {"boardId": OTHER, "attemptId": "a"}
    assert await caller.run(document, id=own, board=BOARD) is None
    message, _ = await caller.refused(document, id="a")
    assert "2 boards" in message


def test_each_type_with_an_id_is_a_node_and_no_other_is() -> None:
    schema = build_schema(sdl())
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    with_id = {
        name
        for name, kind in schema.type_map.items()
        if isinstance(kind, GraphQLObjectType) and "id" in kind.fields and not name.startswith("__")
    }
    assert with_id == {one.name for one in schema.get_possible_types(node)}
