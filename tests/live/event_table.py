"""The table of the event matrix: each domain event, its payload, and the envelopes of each subscriber.

It follows docs/protocol.md. The recordings show only the original. This table also has the server's additions: a
`state` for a pull request, and the `cardId` of a known attempt. `test_graphql_matrix` has GraphQL's results.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.kit.publishing import Publisher, event
from tests.kit.recordings import Json
from tests.live.replay.stage import board_events

__all__ = [
    "AT",
    "ATTEMPT",
    "BOARD",
    "CARD",
    "MATRIX",
    "OTHER",
    "RENAMED",
    "TITLES",
    "Row",
    "mark_dashboard",
    "payload_of",
    "set_stage",
]

AT = "2025-01-02T03:04:05.678Z"
BOARD, OTHER, CARD, ATTEMPT = "board-of-the-event", "other-board", "card-1", "att-1"
RENAMED = "Afterwards"
_OF_ATTEMPT = {"attemptId": ATTEMPT, "boardId": BOARD}
_OF_CARD = {**_OF_ATTEMPT, "cardId": CARD}
_OF_PROJECT = {"projectId": BOARD}
_OF_GIT = {"projectId": BOARD, "attemptId": ATTEMPT}
_ITEM = {"type": "message", "timestamp": AT, "role": "user", "text": "Hi – ünïcödé", "format": "markdown", "id": "c-1"}
_TODOS = {"total": 1, "completed": 0, "items": [{"id": "t-1", "text": "First", "status": "open"}]}
_PR = {"number": 7, "url": "https://github.com/o/r/pull/7", "state": "open", "draft": False}
TITLES = ("Backlog", "In Progress", "Review", "Done")


@dataclass(frozen=True)
class Row:
    """The payload of an event, and the envelopes of each subscriber."""

    payload: Json
    board: list[Json] = field(default_factory=list)
    everybody: list[Json] = field(default_factory=list)
    #: Whether the dashboard gets a new overview.
    refreshes: bool = False
    #: The column of the card afterwards, which the `state` in `board` shows.
    column: str = "Backlog"


def _log(message: str) -> Json:
    return {"type": "attempt_log", "payload": {"attemptId": ATTEMPT, "level": "info", "message": message, "ts": AT}}


def _envelope(type: str, **payload: object) -> Json:
    return {"type": type, "payload": payload}


_STATE: Json = {"type": "state"}

_ATTEMPTS: dict[str, Row] = {
    "attempt.queued": Row({**_OF_CARD, "agent": "CODEX", "baseBranch": "main", "branchName": "b"}, refreshes=True),
    "attempt.started": Row(
        {**_OF_CARD, "agent": "CODEX", "baseBranch": "main", "branchName": "b", "worktreePath": "w"},
        [_envelope("attempt_started", attemptId=ATTEMPT, cardId=CARD), _STATE],
        refreshes=True,
        column="In Progress",
    ),
    "attempt.status.changed": Row(
        {**_OF_ATTEMPT, "status": "running", "previousStatus": "queued"},
        [_envelope("attempt_status", attemptId=ATTEMPT, cardId=CARD, status="running")],
        refreshes=True,
    ),
    "attempt.completed": Row(
        {**_OF_CARD, "status": "succeeded", "worktreePath": "w"}, [_STATE], refreshes=True, column="Review"
    ),
    "attempt.stopped": Row({**_OF_ATTEMPT, "reason": "user"}, [_log("Attempt stopped by user")], refreshes=True),
    "attempt.log.appended": Row({**_OF_ATTEMPT, "level": "info", "message": "a\nb", "ts": AT}, [_log("a\nb")]),
    "attempt.conversation.appended": Row(
        {**_OF_ATTEMPT, "item": _ITEM}, [_envelope("conversation_item", attemptId=ATTEMPT, item=_ITEM)]
    ),
    "attempt.session.recorded": Row(
        {**_OF_ATTEMPT, "sessionId": "s-1"}, [_envelope("attempt_session", attemptId=ATTEMPT, sessionId="s-1")]
    ),
    "attempt.todos.updated": Row(
        {**_OF_ATTEMPT, "todos": _TODOS}, [_envelope("attempt_todos", attemptId=ATTEMPT, todos=_TODOS)]
    ),
    "attempt.autocommit.requested": Row({**_OF_CARD, "worktreePath": "w"}),
}

_GIT: dict[str, Row] = {
    "git.status.changed": Row(_OF_PROJECT, [{"type": "git:status"}]),
    "git.commit.created": Row(
        {**_OF_GIT, "shortSha": "abc1234", "subject": "feat: x", "ts": AT},
        [
            _log("[git] committed abc1234 feat: x"),
            _envelope("git_commit", attemptId=ATTEMPT, shortSha="abc1234", subject="feat: x", ts=AT),
        ],
    ),
    "git.push.completed": Row(
        {**_OF_GIT, "remote": "origin", "branch": "f/x", "ts": AT},
        [
            _log("[git] pushed to origin/f/x"),
            _envelope("git_push", attemptId=ATTEMPT, remote="origin", branch="f/x", ts=AT),
        ],
    ),
    "git.push.retried": Row({**_OF_GIT, "remote": "origin", "branch": "f/x", "ts": AT}),
    "git.push.failed": Row({**_OF_GIT, "reason": "rejected", "error": "e", "ts": AT}),
    "git.merge.completed": Row({**_OF_GIT, "result": {"merged": True, "message": "ok"}}),
    "git.rebase.started": Row({**_OF_GIT, "ts": AT}),
    "git.rebase.completed": Row({**_OF_GIT, "ts": AT}),
    "git.rebase.aborted": Row({**_OF_GIT, "ts": AT}),
    "github.pr.created": Row({**_OF_GIT, "pr": _PR}, [_envelope("attempt_pr", attemptId=ATTEMPT, pr=_PR), _STATE]),
    "github.pr.merged.autoClosed": Row(
        {**_OF_PROJECT, "boardId": BOARD, "cardId": CARD, "prNumber": 7, "prUrl": _PR["url"], "ts": AT}
    ),
    "github.issue.closed.autoClosed": Row(
        {**_OF_PROJECT, "boardId": BOARD, "cardId": CARD, "issueNumber": 3, "ts": AT}
    ),
    "github.issues.imported": Row({**_OF_PROJECT, "importedCount": 3}),
    "github.connected": Row({"provider": "device_flow", "connectedAt": AT}),
    "github.disconnected": Row({"disconnectedAt": AT}),
}

_OTHERS: dict[str, Row] = {
    "board.state.changed": Row({"boardId": BOARD, "reason": "because"}, [_STATE]),
    "board.columns.initialized": Row({"boardId": BOARD, "columnIds": ["a-0"]}),
    "card.created": Row({"boardId": BOARD, "columnId": "a-0", "cardId": CARD}, refreshes=True),
    "card.updated": Row({"boardId": BOARD, "cardId": CARD, "changes": {"title": "x"}}, refreshes=True),
    "card.moved": Row(
        {"boardId": BOARD, "cardId": CARD, "fromColumnId": "a-0", "toColumnId": "a-3", "toIndex": 0}, refreshes=True
    ),
    "card.deleted": Row({"boardId": BOARD, "cardId": CARD, "columnId": "a-0"}, refreshes=True),
    "project.created": Row(
        {**_OF_PROJECT, "name": "Again", "repositoryPath": "/r", "repositoryUrl": None, "createdAt": AT},
        refreshes=True,
    ),
    "project.updated": Row({**_OF_PROJECT, "changes": {"name": "x"}, "updatedAt": AT}, refreshes=True),
    "project.deleted": Row(
        {**_OF_PROJECT, "projectName": "x", "repositoryPath": None},
        [_envelope("goodbye", reason="board_deleted")],
        refreshes=True,
    ),
    "project.settings.updated": Row({**_OF_PROJECT, "changes": {}, "updatedAt": AT}),
    "settings.global.updated": Row({"changes": {}, "updatedAt": AT}),
    "agent.registered": Row(
        {"agent": "CODEX", "label": "Codex"}, everybody=[_envelope("agent_registered", agent="CODEX", label="Codex")]
    ),
    "agent.profile.changed": Row(
        {"profileId": "ap-1", "agent": "CODEX", "kind": "deleted"},
        everybody=[_envelope("agent_profile", kind="deleted", profileId="ap-1", agent="CODEX", label=None)],
    ),
    "editor.open.requested": Row({"path": "/n", "editorKey": "vscode", "attemptId": ATTEMPT, **_OF_PROJECT}),
    "editor.open.succeeded": Row({"path": "/n", "editorKey": "vscode", "pid": 1}),
    "editor.open.failed": Row({"path": "/n", "editorKey": "vscode", "error": "no"}),
    "terminal.opened": Row({**_OF_GIT, "cardId": CARD, "worktreePath": "w"}),
    "terminal.closed": Row({**_OF_PROJECT, "cardId": CARD, "reason": "manual"}),
    "worktree.created": Row({**_OF_GIT, "path": "/n", "branchName": "b", "baseBranch": "main"}),
    "worktree.removed": Row({**_OF_GIT, "path": "/n"}),
}

MATRIX = {**_ATTEMPTS, **_GIT, **_OTHERS}


async def set_stage(publisher: Publisher, *, with_attempt: bool) -> None:
    """Make both boards, each with one card in Backlog, and the attempt if the events need one."""
    await publisher.publish(*board_events(BOARD, _state("a", CARD)), *board_events(OTHER, _state("b", "card-2")))
    if with_attempt:
        await publisher.publish(event("attempt.queued", MATRIX["attempt.queued"].payload, AT))


async def mark_dashboard(publisher: Publisher) -> None:
    """Rename the other board to `RENAMED`. The next overview shows the name, so it is the marker of dashboards."""
    renamed = {"projectId": OTHER, "changes": {"name": RENAMED}, "updatedAt": AT}
    await publisher.publish(event("project.updated", renamed, AT))


def payload_of(name: str) -> Json:
    """Return the payload of the event; a state of a board is built anew each time."""
    payload = MATRIX[name].payload
    return {**payload, "state": _state("a", CARD)} if name == "board.state.changed" else payload


def _state(prefix: str, card_id: str) -> Json:
    columns = {
        f"{prefix}-{n}": {"id": f"{prefix}-{n}", "title": title, "cardIds": []} for n, title in enumerate(TITLES)
    }
    first = {**columns[f"{prefix}-0"], "cardIds": [card_id]}
    cards = {card_id: {"id": card_id, "title": "Card", "ticketKey": "AB-1"}}
    return {"columns": {**columns, f"{prefix}-0": first}, "columnOrder": list(columns), "cards": cards}
