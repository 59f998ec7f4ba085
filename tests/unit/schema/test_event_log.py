"""`events`: the log of a board in pages, with the cursors of its streams."""

from __future__ import annotations

from typing import Any

import pytest
import strawberry

from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.messages.channels import Channel, board_channel
from realtime.messages.position import Position, channel_tag, parse_cursor
from realtime.node import Node
from realtime.ports import Horizon
from tests.kit.nodes import BOARD, column_id, create_board, open_node, open_store, publish
from tests.kit.publishing import event
from tests.unit.schema.caller import Caller

EVENTS = """query ($id: ID!, $after: String, $first: Int) { events(boardId: $id, after: $after, first: $first) {
    nodes { name at cursor payload offset part } edges { cursor node { cursor } }
    pageInfo { hasNextPage endCursor } } }"""
AT = "2025-06-01T00:00:00.000Z"


async def publish_events(node: Node, count: int) -> list[str]:
    """Publish this many events of the board, with global ones between; return their cursors."""
    cursors = []
    for n in range(count):
        payload = {"projectId": BOARD, "n": n}
        accepted, _ = await publish(
            node, event("git.status.changed", payload, AT), event("agent.registered", {"agent": "A"})
        )
        cursors.append(accepted.cursor)
    return cursors


async def test_events_are_those_of_the_board_with_their_cursors(caller: Caller, node: Node, board: Board) -> None:
    await create_board(node, "p2", "Beta")
    cursors = await publish_events(node, 2)
    page = await caller.run(EVENTS, id=BOARD)
    created, *changed = page["nodes"]
    assert (created["name"], created["payload"]["name"]) == ("project.created", "Alpha Board")
    assert changed == [
        {
            "name": "git.status.changed",
            "at": AT,
            "cursor": cursor,
            "payload": {"projectId": BOARD, "n": n},
            "offset": parse_cursor(cursor).offset,
            "part": 0,
        }
        for n, cursor in enumerate(cursors)
    ]
    assert page["edges"] == [{"cursor": one["cursor"], "node": {"cursor": one["cursor"]}} for one in page["nodes"]]
    assert page["pageInfo"] == {"hasNextPage": False, "endCursor": cursors[-1]}


async def test_cursors_of_the_log_are_those_of_the_stream(caller: Caller, node: Node, board: Board) -> None:
    document = f'subscription {{ boardEvents(boardId: "{BOARD}") {{ ... on State {{ cursor }} }} }}'
    async with caller.subscribe(document) as results:
        await results.take(2)
        await node.bus.execute(board.id, CreateCard(column_id=column_id(board.state, "Backlog"), title="T"))
        streamed = (await results.next())["cursor"]
    page = await caller.run(EVENTS, id=BOARD)
    assert page["pageInfo"]["endCursor"] == streamed
    assert [one["name"] for one in page["nodes"]] == ["project.created", "card.created", "board.state.changed"]


async def test_pages_lead_through_the_whole_log(caller: Caller, node: Node, board: Board) -> None:
    cursors = await publish_events(node, 4)
    after, more, found = None, True, []
    while more:
        page = await caller.run(EVENTS, id=BOARD, after=after, first=2)
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        found += [one["cursor"] for one in page["nodes"]]
    assert found[1:] == cursors
    assert await caller.run(EVENTS, id=BOARD, after=after) == {
        "nodes": [],
        "edges": [],
        "pageInfo": {"hasNextPage": False, "endCursor": after},
    }


async def test_end_of_the_log_is_where_a_stream_goes_on(caller: Caller, node: Node, board: Board) -> None:
    end = (await caller.run(EVENTS, id=BOARD))["pageInfo"]["endCursor"]
    document = f"""subscription ($after: String) {{ boardEvents(boardId: "{BOARD}", after: $after) {{
        kind: __typename ... on AgentRegistered {{ agentKey }} }} }}"""
    async with caller.subscribe(document, after=end) as results:
        seen = [await results.next()]
        await publish(node, event("agent.registered", {"agent": "MARKER"}))
        while seen[-1] != {"kind": "AgentRegistered", "agentKey": "MARKER"}:
            seen.append(await results.next())
    assert "Gap" not in {one["kind"] for one in seen}


async def test_event_of_a_future_version_is_shown_as_it_came(caller: Caller, node: Node, board: Board) -> None:
    payload: dict[str, Any] = {"projectId": BOARD, "new": {"z": 1, "a": [None, "ü🚀"]}}
    await publish(node, event("git.status.changed", payload))
    assert (await caller.run(EVENTS, id=BOARD))["nodes"][-1]["payload"] == payload


@pytest.mark.parametrize(
    ("changed", "code", "word"),
    [
        ({"epoch": "other"}, "EPOCH_CHANGED", "begun anew"),
        ({"tag": channel_tag(Channel("board:p2"))}, "OTHER_BOARD", "another board"),
        ({"offset": 99}, "INVALID_CURSOR", "ahead"),
    ],
)
async def test_cursor_from_which_nothing_leads_on_is_refused(
    caller: Caller, node: Node, board: Board, changed: dict[str, Any], code: str, word: str
) -> None:
    (cursor,) = await publish_events(node, 1)
    seen = parse_cursor(cursor)
    fields = {name: getattr(seen, name) for name in ("epoch", "tag", "offset", "global_offset")}
    message, extensions = await caller.refused(EVENTS, id=BOARD, after=Position(**{**fields, **changed}).cursor)
    assert (extensions, word in message) == ({"code": code}, True)


async def test_cursor_older_than_the_log_is_refused(schema: strawberry.Schema) -> None:
    async with open_store() as store, open_node(store) as node:
        await create_board(node)
        cursors = await publish_events(node, 3)
        caller = Caller(schema, node)
        assert await store.prune(board_channel(BOARD), Horizon(newest_events=1), 100) == 3
        _, extensions = await caller.refused(EVENTS, id=BOARD, after=cursors[0])
        assert extensions == {"code": "HISTORY_EXPIRED"}
        assert [one["cursor"] for one in (await caller.run(EVENTS, id=BOARD))["nodes"]] == [cursors[2]]
        assert [one["cursor"] for one in (await caller.run(EVENTS, id=BOARD, after=cursors[1]))["nodes"]] == cursors[2:]


async def test_cursor_older_than_a_log_that_is_empty_is_refused(schema: strawberry.Schema) -> None:
    async with open_store() as store, open_node(store) as node:
        await create_board(node)
        cursors = await publish_events(node, 2)
        caller = Caller(schema, node)
        assert await store.prune(board_channel(BOARD), Horizon(newest_events=0), 100) == 3
        _, extensions = await caller.refused(EVENTS, id=BOARD, after=cursors[0])
        assert extensions == {"code": "HISTORY_EXPIRED"}
        for after in (None, cursors[-1]):
            page = {"hasNextPage": False, "endCursor": after}
            assert await caller.run(EVENTS, id=BOARD, after=after) == {"nodes": [], "edges": [], "pageInfo": page}


@pytest.mark.parametrize("after", ["", "soon", "0-0-0-0"])
async def test_invalid_cursor_is_refused(caller: Caller, board: Board, after: str) -> None:
    message, extensions = await caller.refused(EVENTS, id=BOARD, after=after)
    assert extensions == {"code": "INVALID_CURSOR"}
    assert message.startswith("expected a cursor of this server, got")


@pytest.mark.parametrize("first", [0, -1, 1001])
async def test_page_of_an_impossible_length_is_refused(caller: Caller, board: Board, first: int) -> None:
    message, extensions = await caller.refused(EVENTS, id=BOARD, first=first)
    assert (extensions["code"], extensions["field"]) == ("BAD_USER_INPUT", "first")
    assert message == f"first: expected a whole number from 1 to 1000, got {first}"


async def test_board_that_does_not_exist_has_no_log(caller: Caller) -> None:
    assert await caller.run(EVENTS, id="nowhere") is None
