"""`boardEvents`: every envelope of the raw stream as a member of the union, with exact values."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.clock import iso
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.kanban.models import TicketType
from realtime.messages import envelopes
from realtime.messages.position import Position
from realtime.node import Node
from schema.export import sdl
from tests.kit.nodes import BOARD, START, column_id, publish
from tests.kit.publishing import event
from tests.unit.realtime.event_samples import AT, ITEMS, PR, SAMPLES, TODOS
from tests.unit.schema.caller import Caller
from tests.unit.schema.selection import selection

Json = dict[str, Any]

EVENTS = f'subscription {{ boardEvents(boardId: "{BOARD}") {selection(sdl(), "BoardEvent")} }}'
OF_ATTEMPT = {"boardId": BOARD, "attemptId": "a1"}
OF_PROJECT = {"projectId": BOARD}


def log(message: str, ts: str | None = AT, level: str = "INFO") -> Json:
    """An `AttemptLog` of the attempt `a1`."""
    return {"__typename": "AttemptLog", "attemptId": "a1", "level": level, "message": message, "ts": ts}


def status(status: str, card_id: str | None = "k1") -> Json:
    """An `AttemptStatusChanged` of the attempt `a1`."""
    return {"__typename": "AttemptStatusChanged", "attemptId": "a1", "cardId": card_id, "status": status}


def of_none(sample: Json) -> Json:
    """The payload of an event without an attempt."""
    return {name: value for name, value in sample.items() if name != "attemptId"}


COMMIT = {"__typename": "GitCommit", "attemptId": "a1", "shortSha": "abc1234", "subject": "feat: x", "ts": AT}
PUSH = {"__typename": "GitPush", "attemptId": "a1", "remote": "origin", "branch": "f/x", "ts": AT}
PULL = {"__typename": "AttemptPullRequest", "attemptId": "a1", "pr": PR}
BARE_PR = {"number": 2**40, "url": "u", "state": "open", "draft": True}
AGENT = {"agent": "CODEX", "label": "Codex"}
PROFILE = {"__typename": "AgentProfile", "kind": "DELETED", "profileId": "ap-1", "agent": "CODEX", "label": None}
SHOWN_TODOS = {**TODOS, "items": [{**TODOS["items"][0], "status": "OPEN"}, {**TODOS["items"][1], "status": "DONE"}]}

#: Event, payload, and the result of the stream without cursors.
CASES: list[tuple[str, Json, list[Json]]] = [
    (
        "attempt.started",
        SAMPLES["attempt.started"],
        [{"__typename": "AttemptStarted", "attemptId": "a1", "cardId": "k1"}],
    ),
    ("attempt.status.changed", SAMPLES["attempt.status.changed"], [status("RUNNING")]),
    ("attempt.status.changed", {**OF_ATTEMPT, "status": "failed"}, [status("FAILED", None)]),
    ("attempt.log.appended", SAMPLES["attempt.log.appended"], [log("a\nb", level="WARN")]),
    ("attempt.log.appended", {**OF_ATTEMPT, "level": "error", "message": ""}, [log("", None, "ERROR")]),
    (
        "attempt.log.appended",
        {**OF_ATTEMPT, "level": "info", "message": "m", "ts": "2025-01-02T05:04:05+02:00"},
        [log("m", "2025-01-02T03:04:05.000Z")],
    ),
    (
        "attempt.session.recorded",
        SAMPLES["attempt.session.recorded"],
        [{"__typename": "AttemptSession", "attemptId": "a1", "sessionId": "s-1"}],
    ),
    (
        "attempt.todos.updated",
        SAMPLES["attempt.todos.updated"],
        [{"__typename": "AttemptTodos", "attemptId": "a1", "todos": SHOWN_TODOS}],
    ),
    ("git.status.changed", OF_PROJECT, [{"__typename": "GitStatus"}]),
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
    ("agent.registered", AGENT, [{"__typename": "AgentRegistered", **AGENT}]),
    ("agent.registered", {"agent": "A"}, [{"__typename": "AgentRegistered", "agent": "A", "label": None}]),
    ("agent.profile.changed", {**SAMPLES["agent.profile.changed"], "kind": "deleted"}, [PROFILE]),
]


def without_cursor(shown: Json) -> Json:
    """A result without its cursor, which must be there."""
    assert shown["cursor"]
    return {name: value for name, value in shown.items() if name != "cursor"}


@pytest.mark.parametrize(("name", "payload", "shown"), CASES, ids=lambda value: value if isinstance(value, str) else "")
async def test_event_is_shown_with_every_value(
    caller: Caller, node: Node, board: Board, name: str, payload: Json, shown: list[Json]
) -> None:
    async with caller.subscribe(EVENTS) as results:
        await results.take(2)
        (accepted,) = await publish(node, event(name, payload))
        received = await results.take(len(shown))
        await publish(node, event("agent.registered", {"agent": "MARKER"}))
        assert (await results.next())["agent"] == "MARKER"
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
    cursor = (await caller.run(f'{{ board(id: "{BOARD}") {{ cursor }} }}'))["cursor"]
    assert {**hello, "serverTime": None} == {
        "__typename": "Hello",
        "cursor": cursor,
        "serverTime": None,
        "heartbeatSeconds": 30.0,
    }
    assert hello["serverTime"] > iso(START)
    assert (state["__typename"], state["cursor"], state["state"]["cursor"]) == ("State", cursor, cursor)
    assert [column["title"] for column in state["state"]["columns"]] == ["Backlog", "In Progress", "Review", "Done"]
    assert attempt == {**status("QUEUED"), "cursor": cursor}


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
        **{name: ITEMS["message"][name] for name in ("id", "timestamp", "text", "profileId", "images")},
        "role": "USER",
        "format": "MARKDOWN",
    },
    "thinking": {
        "__typename": "ThinkingItem",
        "id": None,
        "timestamp": AT,
        "title": "T",
        "text": "hm",
        "format": "PLAINTEXT",
    },
    "tool": {"__typename": "ToolItem", "id": "c-2", "timestamp": AT, "tool": TOOL},
    "error": {
        "__typename": "ErrorItem",
        "id": None,
        "timestamp": AT,
        "text": "boom",
        "details": ["any", {"thing": 1}],
    },
    "automation": {
        "__typename": "AutomationItem",
        **{name: value for name, value in ITEMS["automation"].items() if name != "type"},
        "id": None,
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
        {"__typename": "Gap", "cursor": None, "reason": "SLOW_CONSUMER", "from": "x", "to": position.cursor},
        {"__typename": "Goodbye", "cursor": None, "reason": "SERVER_SHUTDOWN", "reconnectAfterMs": 5},
    ]
