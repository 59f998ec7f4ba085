"""Payloads of envelopes → GraphQL types: the only module that knows both. Pure.

An envelope whose payload has no entry in the table is an error; it is never dropped in silence. `change_mapping` has
the changes of a board, and `RAW_ONLY` names the types that are in no table.
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
from schema.envelopes.board_changes import Heartbeat
from schema.envelopes.change_mapping import CHANGES
from schema.types.enums import AttemptStatus, InterruptionReason, LogLevel, ProfileChange
from schema.types.objects import BoardState

__all__ = [
    "ATTEMPT_EVENT_TYPES",
    "BOARD_CHANGE_TYPES",
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
_Table = dict[type[Payload], Callable[[str, Any], _T]]


class UnexpectedEnvelope(Exception):
    """An envelope without a counterpart in GraphQL: this module does not know its type yet."""


def board_event(envelope: Envelope, board_id: BoardId) -> feed.BoardEvent:
    """Return an envelope of a board's stream as a member of the union.

    Raises:
        UnexpectedEnvelope: the union has no member for its type.
    """
    if isinstance(envelope.payload, payloads.State):
        state = board_state(envelope, board_id)
        return feed.State(cursor=state.cursor, state=state)
    change = CHANGES.get(type(envelope.payload))
    if change is not None:
        return change(envelope.cursor or "", board_id, envelope.payload)
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
    return BoardState(board_id=strawberry.ID(board_id), state=envelope.payload.state, cursor=envelope.cursor)


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
    # Types without a cursor do not read it: `hello` and `heartbeat` have theirs in the payload, because a client cannot
    # resume after them; `access`, `gap` and `goodbye` have no position.
    return make(envelope.cursor or "", envelope.payload)


def _hello(cursor: str, hello: payloads.Hello) -> feed.Hello:
    return feed.Hello(cursor=hello.cursor, server_time=hello.server_time, heartbeat_seconds=hello.heartbeat_seconds)


def _heartbeat(cursor: str, beat: payloads.Heartbeat) -> Heartbeat:
    if beat.hash is None or beat.cursor is None:
        raise UnexpectedEnvelope(f"expected a heartbeat with cursor and hash, got {beat!r}")
    return Heartbeat(cursor=beat.cursor, server_time=beat.ts, hash=beat.hash)


def _overview(cursor: str, shown: payloads.Overview) -> feed.Overview:
    return feed.Overview(cursor=cursor, overview=shown.overview)


def _attempt_started(cursor: str, started: payloads.AttemptStarted) -> feed.AttemptStarted:
    return feed.AttemptStarted(
        cursor=cursor, attempt_id=strawberry.ID(started.attempt_id), card_id=strawberry.ID(started.card_id)
    )


def _attempt_status(cursor: str, changed: payloads.AttemptStatusChanged) -> feed.AttemptStatusChanged:
    return feed.AttemptStatusChanged(
        cursor=cursor,
        attempt_id=strawberry.ID(changed.attempt_id),
        card_id=_id(changed.card_id),
        status=AttemptStatus(changed.status),
    )


def _attempt_log(cursor: str, line: payloads.AttemptLog) -> feed.AttemptLogAppended:
    return feed.AttemptLogAppended(
        cursor=cursor,
        attempt_id=strawberry.ID(line.attempt_id),
        level=LogLevel(line.level),
        message=line.message,
        ts=line.ts,
        kept_at=line.kept_at,
    )


def _conversation_item(cursor: str, appended: payloads.ConversationItemAppended) -> feed.ConversationItemAppended:
    return feed.ConversationItemAppended(
        cursor=cursor, attempt_id=strawberry.ID(appended.attempt_id), item=parse_item(appended.item)
    )


def _attempt_session(cursor: str, known: payloads.AttemptSession) -> feed.AttemptSessionRecorded:
    return feed.AttemptSessionRecorded(
        cursor=cursor, attempt_id=strawberry.ID(known.attempt_id), session_id=strawberry.ID(known.session_id)
    )


def _attempt_todos(cursor: str, updated: payloads.AttemptTodos) -> feed.AttemptTodosUpdated:
    todos = events.Todos.model_validate(updated.todos)
    return feed.AttemptTodosUpdated(cursor=cursor, attempt_id=strawberry.ID(updated.attempt_id), todos=todos)


def _git_status(cursor: str, status: payloads.GitStatus) -> feed.GitStatusChanged:
    return feed.GitStatusChanged(cursor=cursor)


def _git_commit(cursor: str, commit: payloads.GitCommit) -> feed.GitCommitCreated:
    return feed.GitCommitCreated(
        cursor=cursor,
        attempt_id=_id(commit.attempt_id),
        short_sha=commit.short_sha,
        subject=commit.subject,
        ts=commit.ts,
    )


def _git_push(cursor: str, push: payloads.GitPush) -> feed.GitPushCompleted:
    return feed.GitPushCompleted(
        cursor=cursor, attempt_id=_id(push.attempt_id), remote=push.remote, branch=push.branch, ts=push.ts
    )


def _attempt_pr(cursor: str, opened: payloads.AttemptPullRequest) -> feed.PullRequestOpened:
    pr = events.PullRequest.model_validate(opened.pr)
    return feed.PullRequestOpened(cursor=cursor, attempt_id=_id(opened.attempt_id), pr=pr)


def _id(id: str | None) -> strawberry.ID | None:
    # The raw exits send "" when there is no id, as the original did.
    return strawberry.ID(id) if id else None


def _agent_profile(cursor: str, profile: payloads.AgentProfile) -> feed.AgentProfileChanged:
    return feed.AgentProfileChanged(
        cursor=cursor,
        kind=ProfileChange(profile.kind),
        profile_id=strawberry.ID(profile.profile_id),
        agent=profile.agent,
        label=profile.label,
    )


def _agent_registered(cursor: str, registered: payloads.AgentRegistered) -> feed.AgentRegistered:
    return feed.AgentRegistered(cursor=cursor, agent=registered.agent, label=registered.label)


def _access(cursor: str, access: payloads.Access) -> feed.Access:
    if access.expires_at is None:
        raise UnexpectedEnvelope(f"expected a token that expires, got {access!r}")
    return feed.Access(expires_at=access.expires_at)


def _gap(cursor: str, gap: payloads.Gap) -> feed.Gap:
    return feed.Gap(reason=InterruptionReason(gap.reason), from_=gap.from_, to=gap.to)


def _goodbye(cursor: str, goodbye: payloads.Goodbye) -> feed.Goodbye:
    reason = InterruptionReason(goodbye.reason)
    return feed.Goodbye(reason=reason, reconnect_after_ms=goodbye.reconnect_after_ms)


_BOARD_EVENTS: _Table[feed.BoardEvent] = {
    payloads.Hello: _hello,
    payloads.Heartbeat: _heartbeat,
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
    payloads.Access: _access,
    payloads.Gap: _gap,
    payloads.Goodbye: _goodbye,
}
_DASHBOARD_EVENTS: _Table[feed.DashboardEvent] = {
    payloads.Hello: _hello,
    payloads.Overview: _overview,
    payloads.AgentProfile: _agent_profile,
    payloads.AgentRegistered: _agent_registered,
    payloads.Access: _access,
    payloads.Gap: _gap,
    payloads.Goodbye: _goodbye,
}
_OF_STREAM: tuple[type[Payload], ...] = (payloads.Hello, payloads.Access, payloads.Gap, payloads.Goodbye)
_OF_CHANGES: tuple[type[Payload], ...] = (*CHANGES, payloads.State)
#: Types of raw envelopes that have a member in the unions.
BOARD_EVENT_TYPES = frozenset({kind.type for kind in (*_BOARD_EVENTS, *_OF_CHANGES)})
BOARD_CHANGE_TYPES = frozenset({kind.type for kind in (*_OF_STREAM, *_OF_CHANGES)} | {payloads.Heartbeat.type})
ATTEMPT_EVENT_TYPES = frozenset(
    kind.type for kind in _BOARD_EVENTS if kind in _OF_STREAM or "attempt_id" in kind.__annotations__
)
DASHBOARD_EVENT_TYPES = frozenset({kind.type for kind in _DASHBOARD_EVENTS})
#: Types of raw envelopes without a member in any union: GraphQL answers commands by results, and has no patches.
RAW_ONLY = frozenset({kind.type for kind in (payloads.Pong, payloads.CommandRefused, payloads.Patch)})
