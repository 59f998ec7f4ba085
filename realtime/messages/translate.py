"""Domain event → payloads of envelopes: one function per event name (docs/protocol.md, "Envelopes"). Pure.

An event without an entry in `_TRANSLATIONS` has no envelope of its own. A change of the board is translated for each
delivery.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any, assert_never, cast

from realtime.clock import iso
from realtime.kanban import events
from realtime.kanban.board import Board, Recorded
from realtime.kanban.events import DomainEvent
from realtime.kanban.ids import AttemptId
from realtime.kanban.models import AttemptStatus, BoardState
from realtime.kanban.wire.differences import as_differences
from realtime.kanban.wire.patch import operations
from realtime.messages.options import Delivery

__all__ = ["changes_board", "translate", "translate_change"]

#: Type and payload of an envelope that has no cursor yet.
Message = tuple[str, Any]

_STOPPED = "Attempt stopped by user"


def translate(recorded: Recorded, board: Board | None) -> list[Message]:
    """Return type and payload of each envelope for `recorded`, in order.

    `board` is the board after the event, None for a global event.
    """
    translation = _TRANSLATIONS.get(type(recorded.event))
    return translation(recorded.event, recorded.at, board) if translation else []


def changes_board(recorded: Recorded) -> bool:
    """Return whether `translate_change` translates `recorded`, for each delivery in its own form."""
    return type(recorded.event) is events.BoardStateChanged


def translate_change(
    recorded: Recorded, before: BoardState, after: BoardState, delivery: Delivery, seen: int = 0
) -> list[Message]:
    """Return the envelopes of a board's change for one delivery, without its first `seen` changes."""
    match delivery:
        case Delivery.STATE:
            return [("state", after)]
        case Delivery.CHANGES:
            told = islice(as_differences(before, recorded.changes), seen, None)
            return [(change.type, change) for _, change in told]
        case Delivery.PATCH:
            told = islice(as_differences(before, recorded.changes), seen, None)
            return [("patch", [one for state, change in told for one in operations(state, change)])]
        case _:
            assert_never(delivery)


def _attempt_started(event: events.AttemptStarted, at: datetime, board: Board | None) -> list[Message]:
    known = board.attempts.get(AttemptId(event.attempt_id)) if board else None
    if board is not None and (known is None or known.status is not AttemptStatus.RUNNING):
        return []  # a late event: it changed no row, so no client may see it
    return [("attempt_started", {"attemptId": event.attempt_id, "cardId": event.card_id})]


def _attempt_status(event: events.AttemptStatusChanged, at: datetime, board: Board | None) -> list[Message]:
    known = board.attempts.get(AttemptId(event.attempt_id)) if board else None
    if board is not None and (known.status is not event.status if known else event.attempt_id in board.gone):
        return []  # a late event, as above; a client must end up with the state that a later client loads
    card_id = event.card_id or (known and known.card_id)
    # The key is absent if the attempt is not known (docs/departures.md, row 7).
    card = {"cardId": card_id} if card_id else {}
    return [("attempt_status", {"attemptId": event.attempt_id, **card, "status": event.status})]


def _attempt_log(event: events.AttemptLogAppended, at: datetime, board: Board | None) -> list[Message]:
    # Without `ts` the envelope has none either, as in the recordings; the row gets the time of the event.
    ts = {"ts": event.ts} if event.ts is not None else {}
    return [("attempt_log", {"attemptId": event.attempt_id, "level": event.level, "message": event.message, **ts})]


def _attempt_stopped(event: events.AttemptStopped, at: datetime, board: Board | None) -> list[Message]:
    return [_log(event.attempt_id, _STOPPED, iso(at))]


def _conversation(event: events.AttemptConversationAppended, at: datetime, board: Board | None) -> list[Message]:
    return [("conversation_item", {"attemptId": event.attempt_id, "item": event.item})]


def _session(event: events.AttemptSessionRecorded, at: datetime, board: Board | None) -> list[Message]:
    if board is not None and _is_late(event.attempt_id, at, board):
        return []
    return [("attempt_session", {"attemptId": event.attempt_id, "sessionId": event.session_id})]


def _todos(event: events.AttemptTodosUpdated, at: datetime, board: Board | None) -> list[Message]:
    if board is not None and _is_late(event.attempt_id, at, board):
        return []
    return [("attempt_todos", {"attemptId": event.attempt_id, "todos": event.todos})]


def _is_late(attempt_id: str, at: datetime, board: Board) -> bool:
    known = board.attempts.get(AttemptId(attempt_id))
    return known is not None and known.held_at(at)


def _git_status(event: events.GitStatusChanged, at: datetime, board: Board | None) -> list[Message]:
    return [("git_status", None)]


def _git_commit(event: events.GitCommitCreated, at: datetime, board: Board | None) -> list[Message]:
    commit = {"shortSha": event.short_sha, "subject": event.subject, "ts": event.ts}
    # An empty sha leaves no double space.
    text = " ".join(filter(None, ("[git] committed", event.short_sha, event.subject)))
    return _with_log("git_commit", event.attempt_id, commit, text, event.ts)


def _git_push(event: events.GitPushCompleted, at: datetime, board: Board | None) -> list[Message]:
    push = {"remote": event.remote, "branch": event.branch, "ts": event.ts}
    text = f"[git] pushed to {event.remote}/{event.branch}"
    return _with_log("git_push", event.attempt_id, push, text, event.ts)


def _pull_request(event: events.GithubPrCreated, at: datetime, board: Board | None) -> list[Message]:
    return [("attempt_pr", {"attemptId": event.attempt_id or "", "pr": event.pr})]


def _agent_profile(event: events.AgentProfileChanged, at: datetime, board: Board | None) -> list[Message]:
    profile = {"kind": event.kind, "profileId": event.profile_id, "agent": event.agent, "label": event.label}
    return [("agent_profile", profile)]


def _agent_registered(event: events.AgentRegistered, at: datetime, board: Board | None) -> list[Message]:
    return [("agent_registered", {"agent": event.agent, "label": event.label})]


def _with_log(type: str, attempt_id: str | None, fields: dict[str, Any], text: str, ts: str) -> list[Message]:
    message = (type, {"attemptId": attempt_id or "", **fields})
    return [_log(attempt_id, text, ts), message] if attempt_id else [message]


def _log(attempt_id: str, message: str, ts: str) -> Message:
    return ("attempt_log", {"attemptId": attempt_id, "level": "info", "message": message, "ts": ts})


Translation = Callable[[Any, datetime, Board | None], list[Message]]
_TRANSLATIONS = cast(
    "dict[type[DomainEvent], Translation]",
    {
        events.AttemptStarted: _attempt_started,
        events.AttemptStatusChanged: _attempt_status,
        events.AttemptLogAppended: _attempt_log,
        events.AttemptStopped: _attempt_stopped,
        events.AttemptConversationAppended: _conversation,
        events.AttemptSessionRecorded: _session,
        events.AttemptTodosUpdated: _todos,
        events.GitStatusChanged: _git_status,
        events.GitCommitCreated: _git_commit,
        events.GitPushCompleted: _git_push,
        events.GithubPrCreated: _pull_request,
        events.AgentProfileChanged: _agent_profile,
        events.AgentRegistered: _agent_registered,
    },
)
