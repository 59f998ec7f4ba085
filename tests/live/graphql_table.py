"""The results of `boardEvents` for each domain event, written out, without their cursors.

`test_graphql_matrix` compares them with the server's results. `schema.envelopes.mapping` is not used here.
"""

from __future__ import annotations

from realtime.global_ids import Kind, global_id
from tests.kit.recordings import Json
from tests.live.event_table import AT, ATTEMPT, BOARD, CARD, TITLES

__all__ = ["EVERYBODY", "ITEMS", "RESULTS", "state"]


def state(column: str) -> Json:
    """Return the result for a board state whose only card is in `column`."""
    card = {"id": global_id(Kind.CARD, BOARD, CARD), "ticketKey": "AB-1", "title": "Card", "updatedAt": AT}
    columns = [
        {
            "id": global_id(Kind.COLUMN, BOARD, f"a-{n}"),
            "title": title,
            "cards": [card] if title == column else [],
        }
        for n, title in enumerate(TITLES)
    ]
    return {"__typename": "State", "state": {"id": global_id(Kind.BOARD, BOARD, BOARD), "columns": columns}}


def _log(message: str) -> Json:
    return {"__typename": "AttemptLogAppended", "attemptId": ATTEMPT, "level": "INFO", "message": message, "ts": AT}


def _item(__typename: str, **fields: object) -> Json:
    item = {"__typename": __typename, "itemKey": "c-1", "timestamp": AT, **fields}
    return {"__typename": "ConversationItemAppended", "attemptId": ATTEMPT, "item": item}


_PULL_REQUEST: Json = {
    "number": 7,
    "url": "https://github.com/o/r/pull/7",
    "state": "open",
    "draft": False,
    **dict.fromkeys(("title", "headRef", "baseRef", "createdAt", "updatedAt", "merged")),
}
_TODO = {"todoKey": "t-1", "text": "First", "status": "OPEN"}

#: Event → the results for subscribers of its board. An event without an entry has none.
RESULTS: dict[str, list[Json]] = {
    "attempt.started": [
        {"__typename": "AttemptStarted", "attemptId": ATTEMPT, "cardId": CARD},
        state("In Progress"),
    ],
    "attempt.status.changed": [
        {"__typename": "AttemptStatusChanged", "attemptId": ATTEMPT, "cardId": CARD, "status": "RUNNING"}
    ],
    "attempt.completed": [state("Review")],
    "attempt.stopped": [_log("Attempt stopped by user")],
    "attempt.log.appended": [_log("a\nb")],
    "attempt.conversation.appended": [
        _item("MessageItem", role="USER", text="Hi – ünïcödé", format="MARKDOWN", profileId=None, images=[])
    ],
    "attempt.session.recorded": [{"__typename": "AttemptSessionRecorded", "attemptId": ATTEMPT, "sessionId": "s-1"}],
    "attempt.todos.updated": [
        {
            "__typename": "AttemptTodosUpdated",
            "attemptId": ATTEMPT,
            "todos": {"total": 1, "completed": 0, "items": [_TODO]},
        }
    ],
    "git.status.changed": [{"__typename": "GitStatusChanged"}],
    "git.commit.created": [
        _log("[git] committed abc1234 feat: x"),
        {"__typename": "GitCommitCreated", "attemptId": ATTEMPT, "shortSha": "abc1234", "subject": "feat: x", "ts": AT},
    ],
    "git.push.completed": [
        _log("[git] pushed to origin/f/x"),
        {"__typename": "GitPushCompleted", "attemptId": ATTEMPT, "remote": "origin", "branch": "f/x", "ts": AT},
    ],
    "github.pr.created": [
        {"__typename": "PullRequestOpened", "attemptId": ATTEMPT, "pr": _PULL_REQUEST},
        state("Backlog"),
    ],
    "board.state.changed": [state("Backlog")],
}

#: Event → the results for subscribers of every board.
EVERYBODY: dict[str, list[Json]] = {
    "agent.registered": [{"__typename": "AgentRegistered", "agentKey": "CODEX", "label": "Codex"}],
    "agent.profile.changed": [
        {
            "__typename": "AgentProfileChanged",
            "kind": "DELETED",
            "profileId": "ap-1",
            "agentKey": "CODEX",
            "label": None,
        }
    ],
}

_RUN = {
    "command": "make",
    "cwd": "/w",
    "startedAt": AT,
    "completedAt": None,
    "durationMs": 12.5,
    "exitCode": 0,
    "stdout": "ok",
    "stderr": "",
    "metadata": {"a": [1]},
}
_COMMON = {"id": "c-1", "timestamp": AT}

#: The other four kinds of conversation items: the sent item, and the result.
ITEMS: list[tuple[Json, Json]] = [
    (
        {**_COMMON, "type": "thinking", "title": "Plan", "text": "Hm", "format": "plaintext"},
        _item("ThinkingItem", title="Plan", text="Hm", format="PLAINTEXT"),
    ),
    (
        {**_COMMON, "type": "tool", "tool": {"name": "Bash", "action": "run", "status": "succeeded", **_RUN}},
        _item("ToolItem", tool={"name": "Bash", "action": "run", "status": "SUCCEEDED", **_RUN}),
    ),
    (
        {**_COMMON, "type": "error", "text": "No", "details": {"code": 1}},
        _item("ErrorItem", text="No", details={"code": 1}),
    ),
    (
        {**_COMMON, "type": "automation", "stage": "setup", "status": "failed", "allowedFailure": True, **_RUN},
        _item("AutomationItem", stage="SETUP", status="FAILED", allowedFailure=True, **_RUN),
    ),
]
