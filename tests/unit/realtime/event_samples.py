"""A payload for each domain event name, with the fields of the recordings."""

from __future__ import annotations

from typing import Any

__all__ = ["AT", "ITEMS", "PR", "SAMPLES", "TODOS"]

Json = dict[str, Any]

AT = "2025-01-02T03:04:05.678Z"
TODOS: Json = {
    "total": 2,
    "completed": 1,
    "items": [{"id": "t-1", "text": "First", "status": "open"}, {"id": "t-2", "text": "Zwei", "status": "done"}],
}
PR: Json = {
    "number": 7,
    "url": "https://github.com/o/r/pull/7",
    "state": "open",
    "draft": False,
    "title": "PR",
    "headRef": "f/x",
    "baseRef": "main",
    "createdAt": AT,
    "updatedAt": AT,
    "merged": False,
}
#: One conversation item of each kind, with keys that this version does not know, in different orders.
ITEMS: dict[str, Json] = {
    "message": {
        "type": "message",
        "timestamp": AT,
        "role": "user",
        "text": "Hi – ünïcödé 🚀",
        "format": "markdown",
        "id": "c-1",
        "profileId": "ap-1",
        "images": [{"data": "AAAA", "mime": "image/png", "name": "a.png"}],
        "extra": {"z": 1, "a": [True, None]},
    },
    "thinking": {"text": "hm", "type": "thinking", "title": "T", "timestamp": AT, "format": "plaintext"},
    "tool": {
        "type": "tool",
        "timestamp": AT,
        "id": "c-2",
        "tool": {
            "name": "bash",
            "action": "run",
            "command": "ls",
            "cwd": "/w",
            "status": "succeeded",
            "startedAt": AT,
            "completedAt": AT,
            "durationMs": 12.5,
            "exitCode": 0,
            "stdout": "a\nb",
            "stderr": "",
            "metadata": {"k": {"deep": []}},
        },
    },
    "error": {"timestamp": AT, "type": "error", "text": "boom", "details": ["any", {"thing": 1}]},
    "automation": {
        "type": "automation",
        "timestamp": AT,
        "stage": "setup",
        "command": "make",
        "cwd": "/w",
        "status": "failed",
        "allowedFailure": True,
        "startedAt": AT,
        "completedAt": AT,
        "durationMs": 3,
        "exitCode": 2,
        "stdout": "",
        "stderr": "no rule",
        "metadata": None,
    },
}

_OF_ATTEMPT: Json = {"attemptId": "a1", "boardId": "p1"}
_OF_CARD: Json = {**_OF_ATTEMPT, "cardId": "k1"}
_OF_GIT: Json = {"projectId": "p1", "attemptId": "a1"}
_STATE: Json = {
    "columns": {"c1": {"id": "c1", "title": "Any", "cardIds": ["k1"]}},
    "columnOrder": ["c1"],
    "cards": {"k1": {"id": "k1", "title": "New", "isEnhanced": False, "createdAt": AT, "updatedAt": AT}},
}

#: Name → payload, on the board `p1`, of the attempt `a1` on the card `k1`.
SAMPLES: dict[str, Json] = {
    "board.state.changed": {"boardId": "p1", "state": _STATE, "reason": "because"},
    "board.columns.initialized": {"boardId": "p1", "columnIds": ["c1", "c2"]},
    "card.created": {"boardId": "p1", "columnId": "c1", "cardId": "k1"},
    "card.updated": {"boardId": "p1", "cardId": "k1", "changes": {"title": "x", "description": None}},
    "card.moved": {"boardId": "p1", "cardId": "k1", "fromColumnId": "c1", "toColumnId": "c2", "toIndex": 0},
    "card.deleted": {"boardId": "p1", "cardId": "k1", "columnId": "c1"},
    "attempt.queued": {**_OF_CARD, "agent": "CODEX", "branchName": "b", "baseBranch": "main", "profileId": "ap-1"},
    "attempt.started": {**_OF_CARD, "agent": "CODEX", "branchName": "b", "baseBranch": "main", "worktreePath": "/w"},
    "attempt.status.changed": {**_OF_CARD, "status": "running", "previousStatus": "queued", "endedAt": None},
    "attempt.log.appended": {**_OF_ATTEMPT, "level": "warn", "message": "a\nb", "ts": AT},
    "attempt.conversation.appended": {**_OF_ATTEMPT, "item": ITEMS["message"]},
    "attempt.session.recorded": {**_OF_ATTEMPT, "sessionId": "s-1"},
    "attempt.todos.updated": {**_OF_ATTEMPT, "todos": TODOS},
    "attempt.completed": {**_OF_CARD, "status": "succeeded", "worktreePath": "/w", "profileId": None},
    "attempt.stopped": {**_OF_ATTEMPT, "reason": "user"},
    "attempt.autocommit.requested": {**_OF_CARD, "worktreePath": "/w"},
    "project.created": {"projectId": "p1", "name": "Again", "repositoryPath": "/r", "repositoryUrl": None},
    "project.updated": {"projectId": "p1", "changes": {"name": "Renamed"}, "updatedAt": AT},
    "project.deleted": {"projectId": "p1", "projectName": "Alpha", "repositoryPath": None},
    "project.settings.updated": {"projectId": "p1", "changes": {"baseBranch": "dev"}, "updatedAt": AT},
    "git.status.changed": {"projectId": "p1"},
    "git.commit.created": {**_OF_GIT, "shortSha": "abc1234", "subject": "feat: x", "ts": AT},
    "git.push.completed": {**_OF_GIT, "remote": "origin", "branch": "f/x", "ts": AT},
    "git.push.retried": {**_OF_GIT, "remote": "origin", "branch": "f/x", "ts": AT},
    "git.push.failed": {**_OF_GIT, "reason": "rejected", "error": "e", "ts": AT},
    "git.merge.completed": {**_OF_GIT, "result": {"merged": True, "message": "ok"}},
    "git.rebase.started": {**_OF_GIT, "ts": AT},
    "git.rebase.completed": {**_OF_GIT, "ts": AT},
    "git.rebase.aborted": {**_OF_GIT, "ts": AT},
    "github.pr.created": {**_OF_GIT, "pr": PR},
    "github.issues.imported": {"projectId": "p1", "importedCount": 3},
    "github.pr.merged.autoClosed": {"projectId": "p1", "cardId": "k1", "prNumber": 7, "prUrl": PR["url"], "ts": AT},
    "github.issue.closed.autoClosed": {"projectId": "p1", "cardId": "k1", "issueNumber": 3, "ts": AT},
    "github.connected": {"provider": "device_flow", "connectedAt": AT},
    "github.disconnected": {"disconnectedAt": AT},
    "worktree.created": {**_OF_GIT, "path": "/w", "branchName": "b", "baseBranch": "main"},
    "worktree.removed": {**_OF_GIT, "path": "/w"},
    "terminal.opened": {**_OF_GIT, "cardId": "k1", "worktreePath": "/w"},
    "terminal.closed": {"projectId": "p1", "cardId": "k1", "reason": "manual"},
    "editor.open.requested": {"path": "/w", "editorKey": "vscode", "projectId": "p1", "attemptId": "a1"},
    "editor.open.succeeded": {"path": "/w", "editorKey": "vscode", "pid": 1},
    "editor.open.failed": {"path": "/w", "editorKey": "vscode", "error": "no"},
    "settings.global.updated": {"changes": {"theme": "dark"}, "updatedAt": AT},
    "agent.registered": {"agent": "CODEX", "label": "Codex"},
    "agent.profile.changed": {"profileId": "ap-1", "agent": "CODEX", "kind": "created", "label": None},
}
