"""The JSON of REST answers, as types: docs/rest.md lists their keys."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

import orjson

from realtime.clock import iso
from realtime.kanban.conversation import ConversationItemJson
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import IsoTime
from realtime.kanban.models import AttemptStatus
from realtime.ports import Attempt, LogEntry, Page

__all__ = [
    "AgentJson",
    "AgentsJson",
    "AttemptJson",
    "BoardJson",
    "CreatedCardJson",
    "HealthJson",
    "LatestAttemptJson",
    "LogEntryJson",
    "LogsJson",
    "MovedCardJson",
    "NodeJson",
    "OpenStreamJson",
    "OpenStreamsJson",
    "OverviewJson",
    "PastBoardJson",
    "PastEventJson",
    "ProfileJson",
    "StateJson",
    "StoppedAttemptJson",
    "VersionJson",
    "attempt_json",
    "logs_json",
]

#: JSON that is already encoded.
StateJson = Annotated[orjson.Fragment, "[state](protocol.md#state)"]
_CardJson = Annotated[dict[str, Any], "card of a [state](protocol.md#state), without `githubIssue`"]
_ColumnsJson = Annotated[dict[str, Any], "columns of a [state](protocol.md#state) by id"]
_TodosJson = Annotated[dict[str, Any], "payload of [`attempt_todos`](events.md#attempt_todos)"]
OverviewJson = Annotated[dict[str, Any], "[overview](protocol.md#types-of-the-dashboards-stream)"]


class BoardJson(TypedDict):
    """A board."""

    state: StateJson


class PastBoardJson(TypedDict):
    """A board after the event at `offset`. The log has an event for each offset after `first`, up to `last`.

    `event` is null if only the board after it is kept, and `state` if the board did not exist then.
    """

    offset: int
    first: int
    last: int
    event: PastEventJson | None
    state: StateJson | None


class PastEventJson(TypedDict):
    """The name of an event, and when it happened."""

    name: str
    at: IsoTime


class CreatedCardJson(TypedDict):
    """A new card and its board. `githubIssueError` is for the original's client; this server makes no issues."""

    state: StateJson
    cardId: Id
    githubIssueError: None


class MovedCardJson(TypedDict):
    """A moved card, with the column that it left and the column that it is in."""

    card: _CardJson
    columns: _ColumnsJson


class AttemptJson(TypedDict):
    """An attempt of an agent at a card. A key without a value is null; times are UTC with milliseconds."""

    id: Id
    boardId: Id
    cardId: Id
    agent: Id
    status: AttemptStatus
    baseBranch: str | None
    branchName: str | None
    worktreePath: str | None
    sessionId: str | None
    createdAt: IsoTime
    updatedAt: IsoTime
    startedAt: IsoTime | None
    endedAt: IsoTime | None


class StoppedAttemptJson(TypedDict):
    """An attempt that was stopped, and its status once more."""

    attempt: AttemptJson
    status: AttemptStatus


class LogEntryJson(TypedDict):
    """A line of an attempt's log."""

    id: Id
    attemptId: Id
    ts: IsoTime
    level: str
    message: str


class LogsJson(TypedDict):
    """A [page](#pages-of-a-list) of an attempt's log."""

    logs: list[LogEntryJson]
    nextAfter: NotRequired[str]


class LatestAttemptJson(TypedDict):
    """An attempt with a [page](#pages-of-a-list) of its log, one of its conversation, and its todos."""

    attempt: AttemptJson
    logs: list[LogEntryJson]
    conversation: list[ConversationItemJson]
    todos: _TodosJson | None
    nextAfter: NotRequired[str]


class AgentJson(TypedDict):
    """An agent that an event has registered. Its `capabilities` are empty."""

    key: Id
    label: str
    capabilities: dict[str, Any]


class ProfileJson(TypedDict):
    """A profile of an agent that an event has named."""

    id: Id
    agent: Id
    label: str | None


class AgentsJson(TypedDict):
    """All agents and all profiles."""

    agents: list[AgentJson]
    profiles: list[ProfileJson]


class HealthJson(TypedDict):
    """The state of the process."""

    ok: bool


class NodeJson(TypedDict):
    """A server of the installation. The times are those of its clock, and the counts those since its start."""

    name: str
    version: str
    address: str
    startedAt: IsoTime
    lastSeenAt: IsoTime
    isSilent: bool
    isLeader: bool
    readers: int
    eventsStored: int
    headsBehind: int
    repairs: int
    hintsLost: int
    hintRetries: int
    poolWaits: int
    brokerProblem: str | None


class OpenStreamJson(TypedDict):
    """An open stream. `behind` counts the events that its exit has not taken yet; `detail` is a delivery or a range."""

    exit: str
    boardId: Id | None
    detail: str
    cursor: str
    behind: int
    queued: int
    lastGap: str | None


class OpenStreamsJson(TypedDict):
    """Streams of the process that answers, at most 500, and the number of all."""

    total: int
    streams: list[OpenStreamJson]


class VersionJson(TypedDict):
    """The version. The server knows of no newer one, so `latestVersion` is the same."""

    currentVersion: str
    latestVersion: str
    updateAvailable: bool
    checkedAt: IsoTime


def attempt_json(attempt: Attempt) -> AttemptJson:
    """Return an attempt in the form of REST."""
    return {
        "id": attempt.id,
        "boardId": attempt.board_id,
        "cardId": attempt.card_id,
        "agent": attempt.agent,
        "status": attempt.status,
        "baseBranch": attempt.base_branch,
        "branchName": attempt.branch_name,
        "worktreePath": attempt.worktree_path,
        "sessionId": attempt.session_id,
        "createdAt": iso(attempt.created_at),
        "updatedAt": iso(attempt.updated_at),
        "startedAt": iso(attempt.started_at) if attempt.started_at else None,
        "endedAt": iso(attempt.ended_at) if attempt.ended_at else None,
    }


def logs_json(page: Page[LogEntry]) -> list[LogEntryJson]:
    """Return the entries of a page, oldest first."""
    return [
        {
            "id": line.id,
            "attemptId": line.attempt_id,
            "ts": iso(line.ts),
            "level": line.level,
            "message": line.message,
        }
        for _, line in page.entries
    ]
