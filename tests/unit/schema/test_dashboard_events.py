"""`dashboardEvents`: every envelope of the dashboard's stream as a member of the union; how it ends."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.kanban.board import Board
from realtime.lifetimes import goodbyes
from realtime.node import Node
from tests.kit.contexts import context_on
from tests.kit.nodes import create_board, publish
from tests.kit.publishing import event
from tests.unit.schema.caller import Caller

EVENTS = """subscription ($range: TimeRangeInput, $after: String) {
    dashboardEvents(timeRange: $range, after: $after) { kind: __typename
        ... on Hello { cursor heartbeatSeconds }
        ... on Overview { cursor overview { timeRange { preset } projectSnapshots { name } } }
        ... on AgentProfileChanged { cursor agentKey profileId change: kind }
        ... on AgentRegistered { cursor agentKey label }
        ... on Gap { reason from to }
        ... on Goodbye { reason reconnectAfterMs } } }"""


def overview(cursor: str, *projects: str, preset: str = "LAST_7D") -> dict[str, Any]:
    """The result for an `Overview`."""
    shown = {"timeRange": {"preset": preset}, "projectSnapshots": [{"name": name} for name in projects]}
    return {"kind": "Overview", "cursor": cursor, "overview": shown}


async def test_dashboard_sends_overviews_and_agents_in_order(caller: Caller, node: Node, board: Board) -> None:
    profile = {"profileId": "p", "agent": "A", "kind": "updated"}
    async with caller.subscribe(EVENTS) as results:
        hello, first = await results.take(2)
        start = hello["cursor"]
        assert hello == {"kind": "Hello", "cursor": start, "heartbeatSeconds": 30.0}
        assert first == overview(start, "Alpha Board")
        await publish(node, event("agent.registered", {"agent": "A"}), event("agent.profile.changed", profile))
        registered, changed = await results.take(2)
        assert {**registered, "cursor": ""} == {"kind": "AgentRegistered", "cursor": "", "agentKey": "A", "label": None}
        assert (changed["change"], changed["profileId"], changed["agentKey"]) == ("UPDATED", "p", "A")
        assert len({start, registered["cursor"], changed["cursor"]}) == 3
        await create_board(node, "p2", "Beta")
        assert await results.next() == overview(changed["cursor"], "Beta", "Alpha Board")


async def test_dashboard_is_of_the_range_that_was_asked_for(caller: Caller, node: Node) -> None:
    async with caller.subscribe(EVENTS, range={"preset": "ALL_TIME"}) as results:
        hello, first = await results.take(2)
        assert first == overview(hello["cursor"], preset="ALL_TIME")


async def test_draining_server_says_goodbye_on_the_dashboard(
    caller: Caller, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goodbyes, "RECONNECT_MS", (1234, 1234))
    async with caller.subscribe(EVENTS) as results:
        await results.take(2)
        await node.lifetimes.drain(0)
        received = await results.next()
        assert received == {"kind": "Goodbye", "reason": "SERVER_SHUTDOWN", "reconnectAfterMs": 1234}
        _, extensions = await results.refusal()
    assert extensions == {"code": "SERVER_SHUTDOWN", "reconnectAfterMs": 1234}


async def test_cursor_of_the_dashboard_goes_on_there(caller: Caller, node: Node) -> None:
    async with caller.subscribe(EVENTS) as results:
        cursor = (await results.next())["cursor"]
    async with caller.subscribe(EVENTS, after=cursor) as results:
        assert [one["kind"] for one in await results.take(2)] == ["Hello", "Overview"]


async def test_cursor_of_another_channel_gets_a_gap(caller: Caller, node: Node, board: Board) -> None:
    of_board = (await caller.run(f'{{ board(boardId: "{board.id}") {{ cursor }} }}'))["cursor"]
    async with caller.subscribe(EVENTS, after=of_board) as results:
        hello, gap, first = await results.take(3)
    assert (hello["kind"], first["kind"]) == ("Hello", "Overview")
    assert (gap["kind"], gap["reason"], gap["from"]) == ("Gap", "OTHER_BOARD", of_board)


@pytest.mark.parametrize(
    ("asked", "code"),
    [({"after": "soon"}, "INVALID_CURSOR"), ({"range": {"from": "2025-01-02T03:04:05Z"}}, "BAD_USER_INPUT")],
)
async def test_bad_argument_ends_the_dashboard_at_once(caller: Caller, asked: dict[str, Any], code: str) -> None:
    async with caller.subscribe(EVENTS, **asked) as results:
        _, extensions = await results.refusal()
    assert extensions["code"] == code


async def test_each_event_leaves_its_cursor_in_the_context(caller: Caller, node: Node) -> None:
    context = context_on(node)
    async with caller.subscribe(EVENTS, context=context) as results:
        assert context.cursor is None
        await results.take(2)
        await publish(node, event("agent.registered", {"agent": "A"}))
        assert (await results.next())["cursor"] == context.cursor
