"""The matrix: every domain event × every raw exit. Exact payload, order and channels, and silence where it is due.

The recordings show what the original did; here is the whole table of contract §1 as it stands, also where the contract
adds something (a `state` for a pull request, the `cardId` of a known attempt).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.kit.live_server import live_server
from tests.kit.publishing import Publisher, event
from tests.kit.recordings import Json, load
from tests.live.replay.listeners import Era, listening
from tests.live.replay.stage import board_events

_AT = "2025-01-02T03:04:05.678Z"
_BOARD, _OTHER, _CARD, _ATTEMPT = "board-of-the-event", "other-board", "card-1", "att-1"
_OF_ATTEMPT = {"attemptId": _ATTEMPT, "boardId": _BOARD}
_OF_CARD = {**_OF_ATTEMPT, "cardId": _CARD}
_OF_PROJECT = {"projectId": _BOARD}
_OF_GIT = {"projectId": _BOARD, "attemptId": _ATTEMPT}
_ITEM = {"type": "message", "timestamp": _AT, "role": "user", "text": "Hi – ünïcödé", "format": "markdown", "id": "c-1"}
_TODOS = {"total": 1, "completed": 0, "items": [{"id": "t-1", "text": "First", "status": "open"}]}
_PR = {"number": 7, "url": "https://github.com/o/r/pull/7", "state": "open", "draft": False}
_TITLES = ("Backlog", "In Progress", "Review", "Done")


@dataclass(frozen=True)
class Row:
    """An event's payload and who gets which envelopes for it."""

    payload: Json
    board: list[Json] = field(default_factory=list)
    everybody: list[Json] = field(default_factory=list)
    #: Whether the dashboard gets a new overview.
    refreshes: bool = False
    #: Where the card stands afterwards, as the `state` among `board` shows it.
    column: str = "Backlog"


def _log(message: str) -> Json:
    return {"type": "attempt_log", "payload": {"attemptId": _ATTEMPT, "level": "info", "message": message, "ts": _AT}}


def _envelope(type: str, **payload: object) -> Json:
    return {"type": type, "payload": payload}


_STATE: Json = {"type": "state"}

_ATTEMPTS: dict[str, Row] = {
    "attempt.queued": Row({**_OF_CARD, "agent": "CODEX", "baseBranch": "main", "branchName": "b"}, refreshes=True),
    "attempt.started": Row(
        {**_OF_CARD, "agent": "CODEX", "baseBranch": "main", "branchName": "b", "worktreePath": "w"},
        [_envelope("attempt_started", attemptId=_ATTEMPT, cardId=_CARD), _STATE],
        refreshes=True,
        column="In Progress",
    ),
    "attempt.status.changed": Row(
        {**_OF_ATTEMPT, "status": "running", "previousStatus": "queued"},
        [_envelope("attempt_status", attemptId=_ATTEMPT, cardId=_CARD, status="running")],
        refreshes=True,
    ),
    "attempt.completed": Row(
        {**_OF_CARD, "status": "succeeded", "worktreePath": "w"}, [_STATE], refreshes=True, column="Review"
    ),
    "attempt.stopped": Row({**_OF_ATTEMPT, "reason": "user"}, [_log("Attempt stopped by user")], refreshes=True),
    "attempt.log.appended": Row({**_OF_ATTEMPT, "level": "info", "message": "a\nb", "ts": _AT}, [_log("a\nb")]),
    "attempt.conversation.appended": Row(
        {**_OF_ATTEMPT, "item": _ITEM}, [_envelope("conversation_item", attemptId=_ATTEMPT, item=_ITEM)]
    ),
    "attempt.session.recorded": Row(
        {**_OF_ATTEMPT, "sessionId": "s-1"}, [_envelope("attempt_session", attemptId=_ATTEMPT, sessionId="s-1")]
    ),
    "attempt.todos.updated": Row(
        {**_OF_ATTEMPT, "todos": _TODOS}, [_envelope("attempt_todos", attemptId=_ATTEMPT, todos=_TODOS)]
    ),
    "attempt.autocommit.requested": Row({**_OF_CARD, "worktreePath": "w"}),
}

_GIT: dict[str, Row] = {
    "git.status.changed": Row(_OF_PROJECT, [{"type": "git:status"}]),
    "git.commit.created": Row(
        {**_OF_GIT, "shortSha": "abc1234", "subject": "feat: x", "ts": _AT},
        [
            _log("[git] committed abc1234 feat: x"),
            _envelope("git_commit", attemptId=_ATTEMPT, shortSha="abc1234", subject="feat: x", ts=_AT),
        ],
    ),
    "git.push.completed": Row(
        {**_OF_GIT, "remote": "origin", "branch": "f/x", "ts": _AT},
        [
            _log("[git] pushed to origin/f/x"),
            _envelope("git_push", attemptId=_ATTEMPT, remote="origin", branch="f/x", ts=_AT),
        ],
    ),
    "git.push.retried": Row({**_OF_GIT, "remote": "origin", "branch": "f/x", "ts": _AT}),
    "git.push.failed": Row({**_OF_GIT, "reason": "rejected", "error": "e", "ts": _AT}),
    "git.merge.completed": Row({**_OF_GIT, "result": {"merged": True, "message": "ok"}}),
    "git.rebase.started": Row({**_OF_GIT, "ts": _AT}),
    "git.rebase.completed": Row({**_OF_GIT, "ts": _AT}),
    "git.rebase.aborted": Row({**_OF_GIT, "ts": _AT}),
    "github.pr.created": Row({**_OF_GIT, "pr": _PR}, [_envelope("attempt_pr", attemptId=_ATTEMPT, pr=_PR), _STATE]),
    "github.pr.merged.autoClosed": Row(
        {**_OF_PROJECT, "boardId": _BOARD, "cardId": _CARD, "prNumber": 7, "prUrl": _PR["url"], "ts": _AT}
    ),
    "github.issue.closed.autoClosed": Row(
        {**_OF_PROJECT, "boardId": _BOARD, "cardId": _CARD, "issueNumber": 3, "ts": _AT}
    ),
    "github.issues.imported": Row({**_OF_PROJECT, "importedCount": 3}),
    "github.connected": Row({"provider": "device_flow", "connectedAt": _AT}),
    "github.disconnected": Row({"disconnectedAt": _AT}),
}

_OTHERS: dict[str, Row] = {
    "board.state.changed": Row({"boardId": _BOARD, "reason": "because"}, [_STATE]),
    "board.columns.initialized": Row({"boardId": _BOARD, "columnIds": ["a-0"]}),
    "card.created": Row({"boardId": _BOARD, "columnId": "a-0", "cardId": _CARD}, refreshes=True),
    "card.updated": Row({"boardId": _BOARD, "cardId": _CARD, "changes": {"title": "x"}}, refreshes=True),
    "card.moved": Row(
        {"boardId": _BOARD, "cardId": _CARD, "fromColumnId": "a-0", "toColumnId": "a-3", "toIndex": 0}, refreshes=True
    ),
    "card.deleted": Row({"boardId": _BOARD, "cardId": _CARD, "columnId": "a-0"}, refreshes=True),
    "project.created": Row(
        {**_OF_PROJECT, "name": "Again", "repositoryPath": "/r", "repositoryUrl": None, "createdAt": _AT},
        refreshes=True,
    ),
    "project.updated": Row({**_OF_PROJECT, "changes": {"name": "x"}, "updatedAt": _AT}, refreshes=True),
    "project.deleted": Row(
        {**_OF_PROJECT, "projectName": "x", "repositoryPath": None},
        [_envelope("goodbye", reason="board_deleted")],
        refreshes=True,
    ),
    "project.settings.updated": Row({**_OF_PROJECT, "changes": {}, "updatedAt": _AT}),
    "settings.global.updated": Row({"changes": {}, "updatedAt": _AT}),
    "agent.registered": Row(
        {"agent": "CODEX", "label": "Codex"}, everybody=[_envelope("agent_registered", agent="CODEX", label="Codex")]
    ),
    "agent.profile.changed": Row(
        {"profileId": "ap-1", "agent": "CODEX", "kind": "deleted"},
        everybody=[_envelope("agent_profile", kind="deleted", profileId="ap-1", agent="CODEX", label=None)],
    ),
    "editor.open.requested": Row({"path": "/n", "editorKey": "vscode", "attemptId": _ATTEMPT, **_OF_PROJECT}),
    "editor.open.succeeded": Row({"path": "/n", "editorKey": "vscode", "pid": 1}),
    "editor.open.failed": Row({"path": "/n", "editorKey": "vscode", "error": "no"}),
    "terminal.opened": Row({**_OF_GIT, "cardId": _CARD, "worktreePath": "w"}),
    "terminal.closed": Row({**_OF_PROJECT, "cardId": _CARD, "reason": "manual"}),
    "worktree.created": Row({**_OF_GIT, "path": "/n", "branchName": "b", "baseBranch": "main"}),
    "worktree.removed": Row({**_OF_GIT, "path": "/n"}),
}

MATRIX = {**_ATTEMPTS, **_GIT, **_OTHERS}


def test_matrix_names_every_event_of_the_recordings() -> None:
    names = {*load("ws-events")["summary"], *load("sse-events")["summary"]} - {"some.unknown.event"}
    assert set(MATRIX) == names
    assert len(MATRIX) == 45


@pytest.mark.parametrize("era", ["ws", "sse"])
@pytest.mark.parametrize("name", sorted(set(MATRIX) - {"project.deleted"}))
async def test_event_reaches_exactly_its_readers(name: str, era: Era) -> None:
    row = MATRIX[name]
    async with live_server() as server:
        publisher = Publisher(server.address)
        await _set_stage(publisher, with_attempt=name != "attempt.queued")
        async with listening(server.address, era, _BOARD, _OTHER) as listeners:
            await publisher.publish(event(name, _payload(name), _AT))
            if row.refreshes:
                await listeners.overview()
            received = await listeners.received("afterwards")
    _check_board(received["board-1"], [_as_sent(era, one) for one in row.board + row.everybody], row.column)
    assert received["board-2"] == row.everybody
    assert received["dashboard"] == row.everybody


@pytest.mark.parametrize("era", ["ws", "sse"])
async def test_every_event_in_one_batch_keeps_the_order(era: Era) -> None:
    names = [name for name in MATRIX if name not in {"project.deleted", "attempt.queued", "board.state.changed"}]
    async with live_server() as server:
        publisher = Publisher(server.address)
        await _set_stage(publisher, with_attempt=True)
        async with listening(server.address, era, _BOARD, _OTHER) as listeners:
            await publisher.publish(*(event(name, _payload(name), _AT) for name in names))
            received = await listeners.received("afterwards")
    expected = [_as_sent(era, one)["type"] for name in names for one in MATRIX[name].board]
    of_board = [one["type"] for one in received["board-1"] if not one["type"].startswith("agent_")]
    assert of_board == expected


async def _set_stage(publisher: Publisher, *, with_attempt: bool) -> None:
    await publisher.publish(*board_events(_BOARD, _state("a", _CARD)), *board_events(_OTHER, _state("b", "card-2")))
    if with_attempt:
        await publisher.publish(event("attempt.queued", MATRIX["attempt.queued"].payload, _AT))


def _payload(name: str) -> Json:
    payload = MATRIX[name].payload
    return {**payload, "state": _state("a", _CARD)} if name == "board.state.changed" else payload


def _state(prefix: str, card_id: str) -> Json:
    columns = {
        f"{prefix}-{n}": {"id": f"{prefix}-{n}", "title": title, "cardIds": []} for n, title in enumerate(_TITLES)
    }
    first = {**columns[f"{prefix}-0"], "cardIds": [card_id]}
    cards = {card_id: {"id": card_id, "title": "Card", "ticketKey": "AB-1"}}
    return {"columns": {**columns, f"{prefix}-0": first}, "columnOrder": list(columns), "cards": cards}


def _as_sent(era: Era, envelope: Json) -> Json:
    """Return `git:status` as the exit spells it."""
    if era == "sse" and envelope["type"] == "git:status":
        return {"type": "git_status", "payload": {}}
    return envelope


def _check_board(received: list[Json], expected: list[Json], column: str) -> None:
    assert [one["type"] for one in received] == [one["type"] for one in expected]
    for got, wanted in zip(received, expected, strict=True):
        if wanted["type"] == "state":
            columns = got["payload"]["columns"].values()
            assert [one["title"] for one in columns if _CARD in one["cardIds"]] == [column]
        else:
            assert (got, list(got.get("payload", ()))) == (wanted, list(wanted.get("payload", ())))
