"""Raw envelopes → GraphQL types: the one place that knows both. Pure.

An envelope whose type has no entry in the table is an error, never silence. `pong` and `error` have none: they are
made by the raw transports and are on no stream. What only the delivery of changes has is `change_mapping`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from realtime.dashboard.model import DashboardOverview
from realtime.kanban import events, models
from realtime.kanban.conversation import parse_item
from realtime.kanban.ids import BoardId
from realtime.messages.envelopes import Envelope
from schema.envelopes import feed
from schema.types.enums import AttemptStatus, InterruptionReason, LogLevel, ProfileChange
from schema.types.objects import BoardState

__all__ = [
    "BOARD_EVENT_TYPES",
    "DASHBOARD_EVENT_TYPES",
    "UnexpectedEnvelope",
    "board_event",
    "board_state",
    "dashboard_event",
    "dashboard_overview",
]

_T = TypeVar("_T")


class UnexpectedEnvelope(Exception):
    """An envelope that has no counterpart in GraphQL: this module is behind the core."""


def board_event(envelope: Envelope, board_id: BoardId) -> feed.BoardEvent:
    """Return an envelope of a board's stream as a member of the union.

    Raises:
        UnexpectedEnvelope: no member stands for its type.
    """
    if envelope.type == "state":
        return feed.State(cursor=envelope.cursor, state=board_state(envelope, board_id))
    made = _made(_BOARD_EVENTS, envelope)
    if isinstance(made, feed.OfAttempt):
        made.board_id = board_id
    return made


def dashboard_event(envelope: Envelope) -> feed.DashboardEvent:
    """Return an envelope of the dashboard's stream as a member of the union.

    Raises:
        UnexpectedEnvelope: no member stands for its type.
    """
    return _made(_DASHBOARD_EVENTS, envelope)


def board_state(envelope: Envelope, board_id: BoardId) -> BoardState:
    """Return the state that a `state` envelope of a board's stream holds.

    Raises:
        UnexpectedEnvelope: it is of another type.
    """
    if not isinstance(envelope.payload, models.BoardState) or envelope.cursor is None:
        raise UnexpectedEnvelope(f"expected a state with a cursor, got {envelope!r}")
    return BoardState(board_id=board_id, state=envelope.payload, cursor=envelope.cursor)


def dashboard_overview(envelope: Envelope) -> DashboardOverview:
    """Return the overview that a `dashboard_overview` envelope holds.

    Raises:
        UnexpectedEnvelope: it is of another type.
    """
    if not isinstance(envelope.payload, DashboardOverview):
        raise UnexpectedEnvelope(f"expected an overview, got {envelope!r}")
    return envelope.payload


def _made(table: dict[str, Callable[[Envelope], _T]], envelope: Envelope) -> _T:
    make = table.get(envelope.type)
    if make is None:
        raise UnexpectedEnvelope(f"expected one of {', '.join(table)}, got {envelope!r}")
    return make(envelope)


def _payload(envelope: Envelope) -> dict[str, Any]:
    if not isinstance(envelope.payload, dict):
        raise UnexpectedEnvelope(f"expected an object as payload, got {envelope!r}")
    return envelope.payload


def _hello(envelope: Envelope) -> feed.Hello:
    hello = _payload(envelope)
    return feed.Hello(
        cursor=hello["cursor"], server_time=hello["serverTime"], heartbeat_seconds=hello["heartbeatSeconds"]
    )


def _overview(envelope: Envelope) -> feed.Overview:
    return feed.Overview(cursor=envelope.cursor, overview=dashboard_overview(envelope))


def _attempt_started(envelope: Envelope) -> feed.AttemptStarted:
    started = _payload(envelope)
    return feed.AttemptStarted(cursor=envelope.cursor, attempt_id=started["attemptId"], card_id=started["cardId"])


def _attempt_status(envelope: Envelope) -> feed.AttemptStatusChanged:
    changed = _payload(envelope)
    return feed.AttemptStatusChanged(
        cursor=envelope.cursor,
        attempt_id=changed["attemptId"],
        card_id=changed.get("cardId"),
        status=AttemptStatus(changed["status"]),
    )


def _attempt_log(envelope: Envelope) -> feed.AttemptLog:
    line = _payload(envelope)
    return feed.AttemptLog(
        cursor=envelope.cursor,
        attempt_id=line["attemptId"],
        level=LogLevel(line["level"]),
        message=line["message"],
        ts=line.get("ts"),
    )


def _conversation_item(envelope: Envelope) -> feed.ConversationItemAppended:
    appended = _payload(envelope)
    return feed.ConversationItemAppended(
        cursor=envelope.cursor, attempt_id=appended["attemptId"], item=parse_item(appended["item"])
    )


def _attempt_session(envelope: Envelope) -> feed.AttemptSession:
    known = _payload(envelope)
    return feed.AttemptSession(cursor=envelope.cursor, attempt_id=known["attemptId"], session_id=known["sessionId"])


def _attempt_todos(envelope: Envelope) -> feed.AttemptTodos:
    updated = _payload(envelope)
    todos = events.Todos.model_validate(updated["todos"])
    return feed.AttemptTodos(cursor=envelope.cursor, attempt_id=updated["attemptId"], todos=todos)


def _git_status(envelope: Envelope) -> feed.GitStatus:
    return feed.GitStatus(cursor=envelope.cursor)


def _git_commit(envelope: Envelope) -> feed.GitCommit:
    commit = _payload(envelope)
    return feed.GitCommit(
        cursor=envelope.cursor,
        attempt_id=_attempt_id(commit),
        short_sha=commit["shortSha"],
        subject=commit["subject"],
        ts=commit["ts"],
    )


def _git_push(envelope: Envelope) -> feed.GitPush:
    push = _payload(envelope)
    return feed.GitPush(
        cursor=envelope.cursor,
        attempt_id=_attempt_id(push),
        remote=push["remote"],
        branch=push["branch"],
        ts=push["ts"],
    )


def _attempt_pr(envelope: Envelope) -> feed.AttemptPullRequest:
    opened = _payload(envelope)
    return feed.AttemptPullRequest(
        cursor=envelope.cursor,
        attempt_id=_attempt_id(opened),
        pr=events.PullRequest.model_validate(opened["pr"]),
    )


def _attempt_id(payload: dict[str, Any]) -> strawberry.ID | None:
    # The raw exits say "" where there is none, as the original does.
    return strawberry.ID(payload["attemptId"]) if payload["attemptId"] else None


def _agent_profile(envelope: Envelope) -> feed.AgentProfile:
    profile = _payload(envelope)
    return feed.AgentProfile(
        cursor=envelope.cursor,
        kind=ProfileChange(profile["kind"]),
        profile_id=profile["profileId"],
        agent=profile["agent"],
        label=profile["label"],
    )


def _agent_registered(envelope: Envelope) -> feed.AgentRegistered:
    registered = _payload(envelope)
    return feed.AgentRegistered(cursor=envelope.cursor, agent=registered["agent"], label=registered["label"])


def _gap(envelope: Envelope) -> feed.Gap:
    gap = _payload(envelope)
    return feed.Gap(cursor=envelope.cursor, reason=InterruptionReason(gap["reason"]), from_=gap["from"], to=gap["to"])


def _goodbye(envelope: Envelope) -> feed.Goodbye:
    goodbye = _payload(envelope)
    reason, pause = InterruptionReason(goodbye["reason"]), goodbye["reconnectAfterMs"]
    return feed.Goodbye(cursor=None, reason=reason, reconnect_after_ms=pause)


_BOARD_EVENTS: dict[str, Callable[[Envelope], feed.BoardEvent]] = {
    "hello": _hello,
    "attempt_started": _attempt_started,
    "attempt_status": _attempt_status,
    "attempt_log": _attempt_log,
    "conversation_item": _conversation_item,
    "attempt_session": _attempt_session,
    "attempt_todos": _attempt_todos,
    "git_status": _git_status,
    "git_commit": _git_commit,
    "git_push": _git_push,
    "attempt_pr": _attempt_pr,
    "agent_profile": _agent_profile,
    "agent_registered": _agent_registered,
    "gap": _gap,
    "goodbye": _goodbye,
}
_DASHBOARD_EVENTS: dict[str, Callable[[Envelope], feed.DashboardEvent]] = {
    "hello": _hello,
    "dashboard_overview": _overview,
    "agent_profile": _agent_profile,
    "agent_registered": _agent_registered,
    "gap": _gap,
    "goodbye": _goodbye,
}
#: Types of raw envelopes that have a member in the unions.
BOARD_EVENT_TYPES = frozenset({*_BOARD_EVENTS, "state"})
DASHBOARD_EVENT_TYPES = frozenset(_DASHBOARD_EVENTS)
