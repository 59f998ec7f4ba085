"""Attempts for clients: their board, their deletion with the card, their final end, and their logs in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.graphql_transports import subscribe
from tests.kit.live_server import LiveServer
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import exchange
from tests.live.boards import BOARD, OTHER
from tests.live.raw_board import RAW_EXITS, open_board

_WAIT_UNITS = 20
_EVENTS = """subscription ($after: String) { boardEvents(boardId: "board-1", after: $after) {
  __typename ... on AttemptStatusChanged { status attempt { boardId } } ... on AgentRegistered { cursor } } }"""
_STATUSES = {"attempt_status", "attempt_started", "AttemptStatusChanged", "AttemptStarted"}


async def _call(live: LiveServer, method: str, path: str, body: object = None, **query: object) -> tuple[int, Any]:
    asked = f"?{urlencode(query)}" if query else ""
    sent = None if body is None else orjson.dumps(body)
    answer = await exchange(live.address, method, f"/api/v1{path}{asked}", sent)
    return answer.status, answer.json() if answer.body else None


async def _graphql(live: LiveServer, query: str) -> Any:
    return (await exchange(live.address, "POST", "/graphql", orjson.dumps({"query": query}))).json()


def _line(n: int, board: str = BOARD) -> dict[str, Any]:
    line = {"boardId": board, "attemptId": "a", "level": "info", "message": f"{board} {n}"}
    return event("attempt.log.appended", line)


async def _attempt(live: LiveServer, board: str, card: str) -> None:
    """Start the attempt `a` of a board, with a line, an item and a todo list."""
    of = {"boardId": board, "attemptId": "a"}
    item = {"type": "error", "timestamp": "2026-01-01T00:00:00+01:00", "text": board}
    await Publisher(live.address).publish(
        event("attempt.started", {**of, "cardId": card, "agent": board}),
        _line(0, board),
        event("attempt.conversation.appended", {**of, "item": item}),
        event("attempt.todos.updated", {**of, "todos": {"total": len(board), "completed": 0, "items": []}}),
    )


@pytest.fixture
async def both(boards: LiveServer) -> LiveServer:
    """An attempt of the same id on both boards."""
    await _attempt(boards, BOARD, "free")
    await _attempt(boards, OTHER, "other-free")
    return boards


async def test_id_that_two_boards_use_needs_its_board(both: LiveServer) -> None:
    for method, path, body in (
        ("GET", "/attempts/a", None),
        ("GET", "/attempts/a/logs", None),
        ("PATCH", "/attempts/a", {"status": "stopped"}),
    ):
        status, problem = await _call(both, method, path, body)
        assert status == 409
        assert "2 boards" in problem["detail"]
        assert [error["field"] for error in problem["errors"]] == ["boardId"]
    for board in (BOARD, OTHER):
        status, found = await _call(both, "GET", "/attempts/a", boardId=board)
        assert (status, found["boardId"], found["agent"]) == (200, board, board)
        status, found = await _call(both, "GET", "/attempts/a/logs", projectId=board)
        assert (status, [line["message"] for line in found["logs"]]) == (200, [f"{board} 0"])
    assert (await _call(both, "GET", "/attempts/a", boardId="nowhere"))[0] == 404
    status, stopped = await _call(both, "PATCH", "/attempts/a", {"status": "stopped"}, boardId=OTHER)
    assert (status, stopped["attempt"]["boardId"], stopped["status"]) == (200, OTHER, "stopping")
    assert (await _call(both, "GET", "/attempts/a", boardId=BOARD))[1]["status"] == "running"


async def test_card_shows_what_is_kept_of_its_own_attempt(both: LiveServer) -> None:
    for board, card in ((BOARD, "free"), (OTHER, "other-free")):
        status, found = await _call(both, "GET", f"/projects/{board}/cards/{card}/attempt")
        assert (status, found["attempt"]["boardId"], found["todos"]["total"]) == (200, board, len(board))
        assert [line["message"] for line in found["logs"]] == [f"{board} 0"]
        assert [(one["text"], one["timestamp"]) for one in found["conversation"]] == [
            (board, "2025-12-31T23:00:00.000Z")
        ]
        assert "nextAfter" not in found


async def test_graphql_distinguishes_attempts_of_one_id(both: LiveServer) -> None:
    ambiguous = await _graphql(both, '{ attempt(attemptId: "a") { id } }')
    assert ambiguous["data"] == {"attempt": None}
    assert (ambiguous["errors"][0]["extensions"]["code"], ambiguous["errors"][0]["extensions"]["field"]) == (
        "INVALID_PAYLOAD",
        "boardId",
    )
    fields = "boardId logs { nodes { message } } conversation { nodes { ... on ErrorItem { text } } } todos { total }"
    for board in (BOARD, OTHER):
        found = (await _graphql(both, f'{{ attempt(attemptId: "a", boardId: "{board}") {{ {fields} }} }}'))["data"][
            "attempt"
        ]
        assert found == {
            "boardId": board,
            "logs": {"nodes": [{"message": f"{board} 0"}]},
            "conversation": {"nodes": [{"text": board}]},
            "todos": {"total": len(board)},
        }
    stop = 'mutation { stopAttempt(input: { attemptId: "a" %s }) { __typename ... on InvalidInput { field } } }'
    refused = (await _graphql(both, stop % ""))["data"]["stopAttempt"]
    assert refused == {"__typename": "InvalidInput", "field": "boardId"}
    stopped = (await _graphql(both, stop % f', boardId: "{OTHER}"'))["data"]["stopAttempt"]
    assert stopped["__typename"] == "StopAttemptPayload"
    statuses = [(await _call(both, "GET", "/attempts/a", boardId=board))[1]["status"] for board in (BOARD, OTHER)]
    assert statuses == ["running", "stopping"]


async def test_deleted_board_leaves_what_another_keeps_under_the_same_id(both: LiveServer) -> None:
    assert (await _call(both, "DELETE", f"/projects/{BOARD}"))[0] == 204
    status, found = await _call(both, "GET", "/attempts/a/logs")
    assert (status, [line["message"] for line in found["logs"]]) == (200, [f"{OTHER} 0"])
    assert (await _call(both, "GET", "/attempts/a"))[1]["boardId"] == OTHER
    status, found = await _call(both, "GET", f"/projects/{OTHER}/cards/other-free/attempt")
    assert (len(found["conversation"]), found["todos"]["total"]) == (1, len(OTHER))


@asynccontextmanager
async def _reading(live: LiveServer, exit: str, after: str | None) -> AsyncIterator[Any]:
    """Read the board from the beginning or after a cursor; return the events before the marker, and its cursor."""
    query = {} if after is None else {"after": after}
    if exit in RAW_EXITS:
        async with open_board(live.address, exit, **query) as subscriber:

            async def read() -> tuple[str, str | None]:
                one = await subscriber.envelope()
                return one.type, one.cursor

            yield read
    else:
        async with subscribe(exit, live.address, _EVENTS, {"after": after}) as subscription:

            async def read_there() -> tuple[str, str | None]:
                one = (await subscription.data())["boardEvents"]
                if one["__typename"] == "AttemptStatusChanged":
                    assert one["attempt"] in (None, {"boardId": BOARD})
                return one["__typename"], one.get("cursor")

            yield read_there


async def _until_marker(live: LiveServer, read: Any) -> tuple[list[str], str | None]:
    await Publisher(live.address).mark("here")
    types: list[str] = []
    while True:
        type, cursor = await read()
        if type in ("agent_registered", "AgentRegistered"):
            return types, cursor
        types.append(type)


async def _delete_by_rest(live: LiveServer) -> None:
    assert (await _call(live, "DELETE", f"/boards/{BOARD}/cards/free"))[0] == 204


async def _delete_by_graphql(live: LiveServer) -> None:
    deleting = f'mutation {{ deleteCard(boardId: "{BOARD}", input: {{ cardId: "free" }}) {{ __typename }} }}'
    assert (await _graphql(live, deleting))["data"] == {"deleteCard": {"__typename": "DeleteCardPayload"}}


@pytest.mark.parametrize("delete", [_delete_by_rest, _delete_by_graphql])
@pytest.mark.parametrize("exit", [*RAW_EXITS, "graphql-transport-ws", "sse"])
async def test_no_status_of_attempts_that_went_with_their_card(both: LiveServer, exit: str, delete: Any) -> None:
    late = event("attempt.status.changed", {"boardId": BOARD, "attemptId": "a", "cardId": "free", "status": "failed"})
    again = event("attempt.started", {"boardId": BOARD, "attemptId": "a", "cardId": "free", "agent": "A"})
    async with deadline(_WAIT_UNITS):
        async with _reading(both, exit, None) as read:
            types, before = await _until_marker(both, read)
            assert len(_STATUSES.intersection(types)) == 1
            await delete(both)
            await Publisher(both.address).publish(late, again)
            types, _ = await _until_marker(both, read)
            assert not _STATUSES.intersection(types)
        for after in (None, before):
            async with _reading(both, exit, after) as read:
                types, _ = await _until_marker(both, read)
                assert not _STATUSES.intersection(types)
    assert (await _call(both, "GET", "/attempts/a"))[1]["boardId"] == OTHER
    assert (await _call(both, "GET", "/attempts/a", boardId=BOARD))[0] == 404
    assert (await _call(both, "GET", "/attempts/a/logs", boardId=BOARD)) == (200, {"logs": []})
    assert (await _call(both, "GET", "/dashboard"))[1]["metrics"]["activeAttempts"] == 1


@pytest.mark.parametrize("exit", [*RAW_EXITS, "graphql-transport-ws"])
async def test_late_repeat_is_published_neither_live_nor_in_a_replay(boards: LiveServer, exit: str) -> None:
    of = {"boardId": BOARD, "attemptId": "a", "cardId": "free"}
    started = event("attempt.started", {**of, "agent": "A"}, "2026-01-01T00:00:01Z")
    running = event("attempt.status.changed", {**of, "status": "running"}, "2026-01-01T00:00:02Z")
    completed = event("attempt.completed", {**of, "status": "succeeded"}, "2026-01-01T00:00:03Z")
    async with deadline(_WAIT_UNITS):
        await Publisher(boards.address).publish(started, running, completed)
        async with _reading(boards, exit, None) as read:
            _, before = await _until_marker(boards, read)
            await Publisher(boards.address).publish(started, running)
            live, _ = await _until_marker(boards, read)
        async with _reading(boards, exit, before) as read:
            again, _ = await _until_marker(boards, read)
    assert live == []
    assert [type for type in again if type not in ("hello", "Hello")] == []
    assert (await _call(boards, "GET", "/attempts/a"))[1]["status"] == "succeeded"


async def test_log_and_conversation_come_in_pages_that_lead_on(both: LiveServer) -> None:
    item = {"type": "error", "timestamp": "2026-01-01T00:00:00Z", "text": "t"}
    appended = event("attempt.conversation.appended", {"boardId": BOARD, "attemptId": "a", "item": item})
    publisher = Publisher(both.address)
    await publisher.publish(*(_line(n) for n in range(1, 1000)))
    await publisher.publish(*(_line(n) for n in range(1000, 1200)), *[appended] * 3)
    for path, query in (("/attempts/a/logs", {"boardId": BOARD}), (f"/boards/{BOARD}/cards/free/attempt", {})):
        whole = (await _call(both, "GET", path, **query))[1]
        assert len(whole["logs"]) == 1000
        rest = (await _call(both, "GET", path, **query, after=whole["nextAfter"]))[1]
        assert "nextAfter" not in rest
        lines, items = [], []
        page: dict[str, Any] = {"nextAfter": None}
        while "nextAfter" in page:
            after = {} if page["nextAfter"] is None else {"after": page["nextAfter"]}
            page = (await _call(both, "GET", path, **query, **after, limit=500))[1]
            lines += page["logs"]
            items += page.get("conversation", [])
        assert lines == whole["logs"] + rest["logs"]
        assert [line["message"] for line in lines] == [f"{BOARD} {n}" for n in range(1200)]
        assert len(items) in (0, 4)


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", value) for value in ("", "0", "1001", "-1", "1.5", "x", "１", "9" * 9000)]
    + [("after", value) for value in ("", "-1", "x", "1.2.3", "9" * 19, "9" * 9000)],
)
async def test_page_that_is_none_is_400(both: LiveServer, name: str, value: str) -> None:
    for path in ("/attempts/a/logs", f"/boards/{BOARD}/cards/free/attempt"):
        status, problem = await _call(both, "GET", path, boardId=BOARD, **{name: value})
        assert (status, [error["field"] for error in problem["errors"]]) == (400, [name])


async def test_older_attempt_of_a_card_is_read_by_its_id(boards: LiveServer) -> None:
    for attempt in ("older", "newer"):
        queued = {"boardId": BOARD, "attemptId": attempt, "cardId": "free", "agent": "A"}
        await Publisher(boards.address).publish(event("attempt.queued", queued))
    path = f"/boards/{BOARD}/cards/free/attempt"
    assert (await _call(boards, "GET", path))[1]["attempt"]["id"] == "newer"
    assert (await _call(boards, "GET", path, attemptId="older"))[1]["attempt"]["id"] == "older"
    assert (await _call(boards, "GET", path, attemptId="of-nobody"))[0] == 404
