"""`boardEvents`: every envelope of the raw stream as a member of the union, with exact values."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.clock import iso
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.kanban.models import TicketType
from realtime.messages import envelopes
from realtime.messages.position import Position, parse_cursor
from realtime.node import Node
from schema.export import sdl
from tests.kit.nodes import BOARD, START, column_id, publish
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import AT, ITEMS, PR, SAMPLES, TODOS
from tests.unit.schema.caller import Caller
from tests.unit.schema.selection import selection

Json = dict[str, Any]

#: The fields of `StreamEvent`.
POSITION = {"cursor", "offset", "part"}
EVENTS = f'subscription {{ boardEvents(boardId: "{BOARD}") {selection(sdl(), "BoardEvent")} }}'
OF_ATTEMPT = {"boardId": BOARD, "attemptId": "a1"}
OF_PROJECT = {"projectId": BOARD}


def log(message: str, ts: str | None = AT, level: str = "INFO") -> Json:
    """An `AttemptLogAppended` of the attempt `a1`, which is only on the stream."""
    shown = {"__typename": "AttemptLogAppended", "attemptId": "a1", "level": level, "message": message, "ts": ts}
    return {**shown, "edge": None}


def kept(message: str, ts: str | None = AT, level: str = "INFO") -> Json:
    """An `AttemptLogAppended` of the attempt `a1`, which is also in its log."""
    return {**log(message, ts, level), "edge": {"message": message, "level": level}}


def status(status: str, card_id: str | None = "k1") -> Json:
    """An `AttemptStatusChanged` of the attempt `a1`."""
    return {"__typename": "AttemptStatusChanged", "attemptId": "a1", "cardId": card_id, "status": status}


def of_none(sample: Json) -> Json:
    """The payload of an event without an attempt."""
    return {name: value for name, value in sample.items() if name != "attemptId"}


COMMIT = {"__typename": "GitCommitCreated", "attemptId": "a1", "shortSha": "abc1234", "subject": "feat: x", "ts": AT}
PUSH = {"__typename": "GitPushCompleted", "attemptId": "a1", "remote": "origin", "branch": "f/x", "ts": AT}
PULL = {"__typename": "PullRequestOpened", "attemptId": "a1", "pr": PR}
BARE_PR = {"number": 2**40, "url": "u", "state": "open", "draft": True}
AGENT = {"agent": "CODEX", "label": "Codex"}
PROFILE = {
    "__typename": "AgentProfileChanged",
    "kind": "DELETED",
    "profileId": "ap-1",
    "agentKey": "CODEX",
    "label": None,
}
SHOWN_TODOS = {
    **TODOS,
    "items": [
        {"todoKey": one["id"], "text": one["text"], "status": status}
        for one, status in zip(TODOS["items"], ("OPEN", "DONE"), strict=True)
    ],
}

#: Event, payload, and the result of the stream without cursors.
CASES: list[tuple[str, Json, list[Json]]] = [
    (
        "attempt.started",
        SAMPLES["attempt.started"],
        [{"__typename": "AttemptStarted", "attemptId": "a1", "cardId": "k1"}],
    ),
    ("attempt.status.changed", SAMPLES["attempt.status.changed"], [status("RUNNING")]),
    ("attempt.status.changed", {**OF_ATTEMPT, "status": "failed"}, [status("FAILED", None)]),
    ("attempt.log.appended", SAMPLES["attempt.log.appended"], [kept("a\nb", level="WARN")]),
    ("attempt.log.appended", {**OF_ATTEMPT, "level": "error", "message": ""}, [kept("", None, "ERROR")]),
    (
        "attempt.log.appended",
        {**OF_ATTEMPT, "level": "info", "message": "m", "ts": "2025-01-02T05:04:05+02:00"},
        [kept("m", "2025-01-02T03:04:05.000Z")],
    ),
    (
        "attempt.session.recorded",
        SAMPLES["attempt.session.recorded"],
        [{"__typename": "AttemptSessionRecorded", "attemptId": "a1", "sessionId": "s-1"}],
    ),
    (
        "attempt.todos.updated",
        SAMPLES["attempt.todos.updated"],
        [{"__typename": "AttemptTodosUpdated", "attemptId": "a1", "todos": SHOWN_TODOS}],
    ),
    ("git.status.changed", OF_PROJECT, [{"__typename": "GitStatusChanged"}]),
    ("git.commit.created", SAMPLES["git.commit.created"], [log("[git] committed abc1234 feat: x"), COMMIT]),
    ("git.commit.created", of_none(SAMPLES["git.commit.created"]), [{**COMMIT, "attemptId": None}]),
    ("git.push.completed", SAMPLES["git.push.completed"], [log("[git] pushed to origin/f/x"), PUSH]),
    ("git.push.completed", of_none(SAMPLES["git.push.completed"]), [{**PUSH, "attemptId": None}]),
    ("github.pr.created", SAMPLES["github.pr.created"], [PULL]),
    (
        "github.pr.created",
        {**OF_PROJECT, "pr": BARE_PR},
        [{**PULL, "attemptId": None, "pr": {**dict.fromkeys(PR), **BARE_PR}}],
    ),
    ("agent.registered", AGENT, [{"__typename": "AgentRegistered", "agentKey": "CODEX", "label": "Codex"}]),
    ("agent.registered", {"agent": "A"}, [{"__typename": "AgentRegistered", "agentKey": "A", "label": None}]),
    ("agent.profile.changed", {**SAMPLES["agent.profile.changed"], "kind": "deleted"}, [PROFILE]),
]


def without_cursor(shown: Json) -> Json:
    """A result without its position, which must be that of its cursor."""
    assert (shown["offset"], shown["part"]) == parse_cursor(shown["cursor"]).place
    found = {name: value for name, value in shown.items() if name not in POSITION}
    if edge := shown.get("edge"):
        node = edge["node"]
        assert shown["cursor"].startswith(edge["cursor"] + "-")
        assert node["ts"] == shown["ts"] or shown["ts"] is None
        found["edge"] = {name: value for name, value in node.items() if name not in ("ts", "logId")}
    return found


@pytest.mark.parametrize(("name", "payload", "shown"), CASES, ids=lambda value: value if isinstance(value, str) else "")
async def test_event_is_shown_with_every_value(
    caller: Caller, node: Node, board: Board, name: str, payload: Json, shown: list[Json]
) -> None:
    async with caller.subscribe(EVENTS) as results:
        await results.take(2)
        (accepted,) = await publish(node, event(name, payload))
        received = await results.take(len(shown))
        await publish(node, event("agent.registered", {"agent": "MARKER"}))
        assert (await results.next())["agentKey"] == "MARKER"
    assert [without_cursor(one) for one in received] == shown
    if not name.startswith("agent."):  # the answer's cursor is of the global log, and the stream's of the board
        assert received[-1]["cursor"] == accepted.cursor
    assert len({one["cursor"] for one in received}) == len(received)


async def test_stop_is_shown_as_a_line_of_the_log(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(EVENTS) as results:
        await results.take(2)
        await publish(node, event("attempt.stopped", SAMPLES["attempt.stopped"], AT))
        assert without_cursor(await results.next()) == log("Attempt stopped by user")


async def test_stream_begins_with_hello_state_and_attempts(caller: Caller, node: Node, board: Board) -> None:
    await publish(node, event("attempt.queued", SAMPLES["attempt.queued"]))
    async with caller.subscribe(EVENTS) as results:
        hello, state, attempt = await results.take(3)
    cursor = (await caller.run(f'{{ board(boardId: "{BOARD}") {{ cursor }} }}'))["cursor"]
    assert {**without_cursor(hello), "serverTime": None} == {
        "__typename": "Hello",
        "serverTime": None,
        "heartbeatSeconds": 30.0,
    }
    assert hello["cursor"] == cursor
    assert hello["serverTime"] > iso(START)
    assert (state["__typename"], state["cursor"], state["state"]["cursor"]) == ("State", cursor, cursor)
    assert [column["title"] for column in state["state"]["columns"]] == ["Backlog", "In Progress", "Review", "Done"]
    assert attempt == {**status("QUEUED"), "cursor": cursor, "offset": state["state"]["offset"], "part": 0}


async def test_command_is_shown_as_the_state_after_it(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(EVENTS) as results:
        await results.take(2)
        command = CreateCard(column_id=column_id(board.state, "Backlog"), title="New", ticket_type=TicketType.PERF)
        executed = await node.bus.execute(board.id, command)
        received = await results.next()
    assert (received["__typename"], received["cursor"]) == ("State", executed.position.cursor)
    assert [(card["title"], card["ticketType"]) for card in received["state"]["cards"]] == [("New", "PERF")]


TOOL = {**ITEMS["tool"]["tool"], "status": "SUCCEEDED"}
SHOWN_ITEMS: dict[str, Json] = {
    "message": {
        "__typename": "MessageItem",
        **{name: ITEMS["message"][name] for name in ("timestamp", "text", "profileId", "images")},
        "itemKey": ITEMS["message"]["id"],
        "role": "USER",
        "format": "MARKDOWN",
    },
    "thinking": {
        "__typename": "ThinkingItem",
        "itemKey": None,
        "timestamp": AT,
        "title": "T",
        "text": "hm",
        "format": "PLAINTEXT",
    },
    "tool": {"__typename": "ToolItem", "itemKey": "c-2", "timestamp": AT, "tool": TOOL},
    "error": {
        "__typename": "ErrorItem",
        "itemKey": None,
        "timestamp": AT,
        "text": "boom",
        "details": ["any", {"thing": 1}],
    },
    "automation": {
        "__typename": "AutomationItem",
        **{name: value for name, value in ITEMS["automation"].items() if name != "type"},
        "itemKey": None,
        "stage": "SETUP",
        "status": "FAILED",
    },
}
BARE_ITEMS: list[tuple[Json, Json]] = [
    (
        {"type": "message", "timestamp": AT, "role": "assistant", "text": ""},
        {"__typename": "MessageItem", "role": "ASSISTANT", "text": "", "images": []},
    ),
    ({"type": "thinking", "timestamp": AT, "text": ""}, {"__typename": "ThinkingItem", "text": ""}),
    ({"type": "error", "timestamp": AT, "text": "e"}, {"__typename": "ErrorItem", "text": "e"}),
    (
        {"type": "automation", "timestamp": AT, "stage": "dev", "status": "running", "exitCode": 3_221_225_786},
        {"__typename": "AutomationItem", "stage": "DEV", "status": "RUNNING", "exitCode": 3_221_225_786},
    ),
]


async def item_wire(caller: Caller, item: Json) -> Json:
    """Publish a conversation item; return its result in the stream."""
    async with caller.subscribe(EVENTS) as results:
        await results.take(2)
        await publish(caller.node, event("attempt.conversation.appended", {**OF_ATTEMPT, "item": item}))
        received = await results.next()
    assert (received["__typename"], received["attemptId"]) == ("ConversationItemAppended", "a1")
    found: Json = received["item"]
    return found


@pytest.mark.parametrize("kind", SHOWN_ITEMS)
async def test_conversation_item_is_shown_with_every_value(caller: Caller, board: Board, kind: str) -> None:
    assert await item_wire(caller, ITEMS[kind]) == SHOWN_ITEMS[kind]


@pytest.mark.parametrize(("item", "shown"), BARE_ITEMS, ids=lambda value: str(value.get("type", "")))
async def test_conversation_item_without_options_has_nulls(
    caller: Caller, board: Board, item: Json, shown: Json
) -> None:
    shown_item = await item_wire(caller, item)
    assert {name: value for name, value in shown_item.items() if value is not None} == {"timestamp": AT, **shown}


async def test_gap_and_goodbye_have_no_cursor(caller: Caller, node: Node, board: Board) -> None:
    async with caller.subscribe(EVENTS) as results:
        await results.take(2)
        position = Position("e", "0a1b2c3d", 7, 2)
        gap = envelopes.gap("slow_consumer", "x", position)
        for channel in node.hub.channels():
            node.hub.publish(channel, [gap, envelopes.goodbye("server_shutdown", 5)])
        received = await results.take(2)
    assert received == [
        {"__typename": "Gap", "reason": "SLOW_CONSUMER", "from": "x", "to": position.cursor},
        {"__typename": "Goodbye", "reason": "SERVER_SHUTDOWN", "reconnectAfterMs": 5},
    ]
