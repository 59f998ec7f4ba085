"""Payloads of envelopes → GraphQL types: the only module that knows both. Pure.

An envelope whose payload has no entry in the table is an error; it is never dropped in silence. `change_mapping` has
the table for the delivery of changes, and `RAW_ONLY` names the types that are in no table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from realtime.dashboard.model import DashboardOverview
from realtime.kanban import events
from realtime.kanban.conversation import parse_item
from realtime.kanban.ids import BoardId
from realtime.messages import payloads
from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import Payload
from schema.envelopes import feed
from schema.types.enums import AttemptStatus, InterruptionReason, LogLevel, ProfileChange
from schema.types.objects import BoardState

__all__ = [
    "BOARD_EVENT_TYPES",
    "DASHBOARD_EVENT_TYPES",
    "RAW_ONLY",
    "UnexpectedEnvelope",
    "board_event",
    "board_state",
    "dashboard_event",
    "dashboard_overview",
]

_T = TypeVar("_T")
#: Class of a payload → a function that makes the member of a union from the envelope's cursor and the payload.
_Table = dict[type[Payload], Callable[[str | None, Any], _T]]


class UnexpectedEnvelope(Exception):
    """An envelope without a counterpart in GraphQL: this module does not know its type yet."""


def board_event(envelope: Envelope, board_id: BoardId) -> feed.BoardEvent:
    """Return an envelope of a board's stream as a member of the union.

    Raises:
        UnexpectedEnvelope: the union has no member for its type.
    """
    if isinstance(envelope.payload, payloads.State):
        return feed.State(cursor=envelope.cursor, state=board_state(envelope, board_id))
    made = _made(_BOARD_EVENTS, envelope)
    if isinstance(made, feed.OfAttempt):
        made.board_id = board_id
    return made


def dashboard_event(envelope: Envelope) -> feed.DashboardEvent:
    """Return an envelope of the dashboard's stream as a member of the union.

    Raises:
        UnexpectedEnvelope: the union has no member for its type.
    """
    return _made(_DASHBOARD_EVENTS, envelope)


def board_state(envelope: Envelope, board_id: BoardId) -> BoardState:
    """Return the state in a `state` envelope of a board's stream.

    Raises:
        UnexpectedEnvelope: the envelope has another type.
    """
    if not isinstance(envelope.payload, payloads.State) or envelope.cursor is None:
        raise UnexpectedEnvelope(f"expected a state with a cursor, got {envelope!r}")
    return BoardState(board_id=board_id, state=envelope.payload.state, cursor=envelope.cursor)


def dashboard_overview(envelope: Envelope) -> DashboardOverview:
    """Return the overview in a `dashboard_overview` envelope.

    Raises:
        UnexpectedEnvelope: the envelope has another type.
    """
    if not isinstance(envelope.payload, payloads.Overview):
        raise UnexpectedEnvelope(f"expected an overview, got {envelope!r}")
    return envelope.payload.overview


def _made(table: _Table[_T], envelope: Envelope) -> _T:
    make = table.get(type(envelope.payload))
    if make is None:
        expected = ", ".join(kind.type for kind in table)
        raise UnexpectedEnvelope(f"expected one of {expected}, got {envelope!r}")
    return make(envelope.cursor, envelope.payload)


def _hello(cursor: str | None, hello: payloads.Hello) -> feed.Hello:
    return feed.Hello(cursor=hello.cursor, server_time=hello.server_time, heartbeat_seconds=hello.heartbeat_seconds)


def _overview(cursor: str | None, shown: payloads.Overview) -> feed.Overview:
    return feed.Overview(cursor=cursor, overview=shown.overview)


def _attempt_started(cursor: str | None, started: payloads.AttemptStarted) -> feed.AttemptStarted:
    return feed.AttemptStarted(
        cursor=cursor, attempt_id=strawberry.ID(started.attempt_id), card_id=strawberry.ID(started.card_id)
    )


def _attempt_status(cursor: str | None, changed: payloads.AttemptStatusChanged) -> feed.AttemptStatusChanged:
    return feed.AttemptStatusChanged(
        cursor=cursor,
        attempt_id=strawberry.ID(changed.attempt_id),
        card_id=_id(changed.card_id),
        status=AttemptStatus(changed.status),
    )


def _attempt_log(cursor: str | None, line: payloads.AttemptLog) -> feed.AttemptLog:
    return feed.AttemptLog(
        cursor=cursor,
        attempt_id=strawberry.ID(line.attempt_id),
        level=LogLevel(line.level),
        message=line.message,
        ts=line.ts,
    )


def _conversation_item(
    cursor: str | None, appended: payloads.ConversationItemAppended
) -> feed.ConversationItemAppended:
    return feed.ConversationItemAppended(
        cursor=cursor, attempt_id=strawberry.ID(appended.attempt_id), item=parse_item(appended.item)
    )


def _attempt_session(cursor: str | None, known: payloads.AttemptSession) -> feed.AttemptSession:
    return feed.AttemptSession(
        cursor=cursor, attempt_id=strawberry.ID(known.attempt_id), session_id=strawberry.ID(known.session_id)
    )


def _attempt_todos(cursor: str | None, updated: payloads.AttemptTodos) -> feed.AttemptTodos:
    todos = events.Todos.model_validate(updated.todos)
    return feed.AttemptTodos(cursor=cursor, attempt_id=strawberry.ID(updated.attempt_id), todos=todos)


def _git_status(cursor: str | None, status: payloads.GitStatus) -> feed.GitStatus:
    return feed.GitStatus(cursor=cursor)


def _git_commit(cursor: str | None, commit: payloads.GitCommit) -> feed.GitCommit:
    return feed.GitCommit(
        cursor=cursor,
        attempt_id=_id(commit.attempt_id),
        short_sha=commit.short_sha,
        subject=commit.subject,
        ts=commit.ts,
    )


def _git_push(cursor: str | None, push: payloads.GitPush) -> feed.GitPush:
    return feed.GitPush(
        cursor=cursor, attempt_id=_id(push.attempt_id), remote=push.remote, branch=push.branch, ts=push.ts
    )


def _attempt_pr(cursor: str | None, opened: payloads.AttemptPullRequest) -> feed.AttemptPullRequest:
    pr = events.PullRequest.model_validate(opened.pr)
    return feed.AttemptPullRequest(cursor=cursor, attempt_id=_id(opened.attempt_id), pr=pr)


def _id(id: str | None) -> strawberry.ID | None:
    # The raw exits send "" when there is no id, as the original did.
    return strawberry.ID(id) if id else None


def _agent_profile(cursor: str | None, profile: payloads.AgentProfile) -> feed.AgentProfile:
    return feed.AgentProfile(
        cursor=cursor,
        kind=ProfileChange(profile.kind),
        profile_id=strawberry.ID(profile.profile_id),
        agent=profile.agent,
        label=profile.label,
    )


def _agent_registered(cursor: str | None, registered: payloads.AgentRegistered) -> feed.AgentRegistered:
    return feed.AgentRegistered(cursor=cursor, agent=registered.agent, label=registered.label)


def _gap(cursor: str | None, gap: payloads.Gap) -> feed.Gap:
    return feed.Gap(cursor=cursor, reason=InterruptionReason(gap.reason), from_=gap.from_, to=gap.to)


def _goodbye(cursor: str | None, goodbye: payloads.Goodbye) -> feed.Goodbye:
    reason = InterruptionReason(goodbye.reason)
    return feed.Goodbye(cursor=None, reason=reason, reconnect_after_ms=goodbye.reconnect_after_ms)


_BOARD_EVENTS: _Table[feed.BoardEvent] = {
    payloads.Hello: _hello,
    payloads.AttemptStarted: _attempt_started,
    payloads.AttemptStatusChanged: _attempt_status,
    payloads.AttemptLog: _attempt_log,
    payloads.ConversationItemAppended: _conversation_item,
    payloads.AttemptSession: _attempt_session,
    payloads.AttemptTodos: _attempt_todos,
    payloads.GitStatus: _git_status,
    payloads.GitCommit: _git_commit,
    payloads.GitPush: _git_push,
    payloads.AttemptPullRequest: _attempt_pr,
    payloads.AgentProfile: _agent_profile,
    payloads.AgentRegistered: _agent_registered,
    payloads.Gap: _gap,
    payloads.Goodbye: _goodbye,
}
_DASHBOARD_EVENTS: _Table[feed.DashboardEvent] = {
    payloads.Hello: _hello,
    payloads.Overview: _overview,
    payloads.AgentProfile: _agent_profile,
    payloads.AgentRegistered: _agent_registered,
    payloads.Gap: _gap,
    payloads.Goodbye: _goodbye,
}
#: Types of raw envelopes that have a member in the unions.
BOARD_EVENT_TYPES = frozenset({*(kind.type for kind in _BOARD_EVENTS), payloads.State.type})
DASHBOARD_EVENT_TYPES = frozenset({kind.type for kind in _DASHBOARD_EVENTS})
#: Types of raw envelopes without a member in any union: GraphQL answers commands by results, and has no patches.
RAW_ONLY = frozenset({kind.type for kind in (payloads.Pong, payloads.CommandRefused, payloads.Patch)})
