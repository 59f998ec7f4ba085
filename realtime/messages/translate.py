"""Domain event → payloads of envelopes: one function per event name (docs/protocol.md, "Envelopes"). Pure.

Every event has an entry in `TRANSLATIONS`. An event without an envelope of its own has a function that says why. A
change of the board is translated for each delivery.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any, assert_never

from realtime.clock import iso
from realtime.kanban import events
from realtime.kanban.board import Board, Recorded
from realtime.kanban.events import DomainEvent
from realtime.kanban.ids import AttemptId
from realtime.kanban.models import AttemptStatus, BoardState
from realtime.kanban.wire.differences import as_differences
from realtime.kanban.wire.patch import operations
from realtime.messages import payloads
from realtime.messages.options import Delivery
from realtime.messages.payloads import Payload
from realtime.messages.timeline import Timeline

__all__ = ["TRANSLATIONS", "changes_board", "translate", "translate_change"]

_STOPPED = "Attempt stopped by user"


def translate(recorded: Recorded, board: Board | None) -> list[Payload]:
    """Return the payload of each envelope for `recorded`, in order.

    `board` is the board after the event, None for a global event.
    """
    return TRANSLATIONS[type(recorded.event)](recorded.event, recorded.at, board)


def changes_board(recorded: Recorded) -> bool:
    """Return whether `translate_change` translates `recorded`, for each delivery in its own form."""
    return type(recorded.event) is events.BoardStateChanged


def translate_change(
    recorded: Recorded,
    before: BoardState,
    after: BoardState,
    delivery: Delivery,
    seen: int = 0,
    timeline: Timeline | None = None,
) -> list[Payload]:
    """Return the payloads of a board's change for one delivery, without its first `seen` changes.

    `timeline` is that of the view from which the states come.
    """
    match delivery:
        case Delivery.STATE:
            return [payloads.State(after)]
        case Delivery.CHANGES:
            made = (change for _, change in as_differences(before, recorded.changes))
            moments = (timeline or Timeline()).moments(before, after, made)
            return list(map(payloads.of_change, moments[seen:]))
        case Delivery.PATCH:
            differences = islice(as_differences(before, recorded.changes), seen, None)
            return [payloads.Patch([one for state, change in differences for one in operations(state, change)])]
        case _:
            assert_never(delivery)


def _attempt_started(event: events.AttemptStarted, at: datetime, board: Board | None) -> list[Payload]:
    known = board.attempts.get(AttemptId(event.attempt_id)) if board else None
    if board is not None and (known is None or known.status is not AttemptStatus.RUNNING):
        return []  # a late event: it changed no row, so no client may see it
    return [payloads.AttemptStarted(event.attempt_id, event.card_id)]


def _attempt_status(event: events.AttemptStatusChanged, at: datetime, board: Board | None) -> list[Payload]:
    known = board.attempts.get(AttemptId(event.attempt_id)) if board else None
    if board is not None and (known.status is not event.status if known else event.attempt_id in board.gone):
        return []  # a late event, as above; a client must end up with the state that a later client loads
    # The key is absent if the attempt is not known (docs/departures.md, row 7).
    card_id = event.card_id or (known.card_id if known else None) or None
    return [payloads.AttemptStatusChanged(event.attempt_id, card_id, event.status)]


def _attempt_log(event: events.AttemptLogAppended, at: datetime, board: Board | None) -> list[Payload]:
    # Without `ts` the envelope has none either, as in the recordings; the row gets the time of the event.
    return [payloads.AttemptLog(event.attempt_id, event.level, event.message, event.ts, at)]


def _attempt_stopped(event: events.AttemptStopped, at: datetime, board: Board | None) -> list[Payload]:
    return [_log(event.attempt_id, _STOPPED, iso(at))]


def _conversation(event: events.AttemptConversationAppended, at: datetime, board: Board | None) -> list[Payload]:
    return [payloads.ConversationItemAppended(event.attempt_id, event.item)]


def _session(event: events.AttemptSessionRecorded, at: datetime, board: Board | None) -> list[Payload]:
    if board is not None and _is_late(event.attempt_id, at, board):
        return []
    return [payloads.AttemptSession(event.attempt_id, event.session_id)]


def _todos(event: events.AttemptTodosUpdated, at: datetime, board: Board | None) -> list[Payload]:
    if board is not None and _is_late(event.attempt_id, at, board):
        return []
    return [payloads.AttemptTodos(event.attempt_id, event.todos)]


def _is_late(attempt_id: str, at: datetime, board: Board) -> bool:
    known = board.attempts.get(AttemptId(attempt_id))
    return known is not None and known.held_at(at)


def _git_status(event: events.GitStatusChanged, at: datetime, board: Board | None) -> list[Payload]:
    return [payloads.GitStatus()]


def _git_commit(event: events.GitCommitCreated, at: datetime, board: Board | None) -> list[Payload]:
    commit = payloads.GitCommit(event.attempt_id or "", event.short_sha, event.subject, event.ts)
    # An empty sha leaves no double space.
    text = " ".join(filter(None, ("[git] committed", event.short_sha, event.subject)))
    return _with_log(commit, event.attempt_id, text, event.ts)


def _git_push(event: events.GitPushCompleted, at: datetime, board: Board | None) -> list[Payload]:
    push = payloads.GitPush(event.attempt_id or "", event.remote, event.branch, event.ts)
    return _with_log(push, event.attempt_id, f"[git] pushed to {event.remote}/{event.branch}", event.ts)


def _pull_request(event: events.GithubPrCreated, at: datetime, board: Board | None) -> list[Payload]:
    return [payloads.AttemptPullRequest(event.attempt_id or "", event.pr)]


def _agent_profile(event: events.AgentProfileChanged, at: datetime, board: Board | None) -> list[Payload]:
    return [payloads.AgentProfile(event.kind, event.profile_id, event.agent, event.label)]


def _agent_registered(event: events.AgentRegistered, at: datetime, board: Board | None) -> list[Payload]:
    return [payloads.AgentRegistered(event.agent, event.label)]


def _with_log(payload: Payload, attempt_id: str | None, text: str, ts: str) -> list[Payload]:
    return [_log(attempt_id, text, ts), payload] if attempt_id else [payload]


def _log(attempt_id: str, message: str, ts: str) -> Payload:
    return payloads.AttemptLog(attempt_id, "info", message, ts)


def _sent_as_change(event: DomainEvent, at: datetime, board: Board | None) -> list[Payload]:
    """Return nothing: `translate_change` handles the `board.state.changed` that is, or follows, the event."""
    return []


def _sent_on_dashboard(event: DomainEvent, at: datetime, board: Board | None) -> list[Payload]:
    """Return nothing: the next overview of the dashboard includes the event."""
    return []


def _ends_streams(event: DomainEvent, at: datetime, board: Board | None) -> list[Payload]:
    """Return nothing: the event ends the board's streams with a `goodbye`."""
    return []


def _only_logged(event: DomainEvent, at: datetime, board: Board | None) -> list[Payload]:
    """Return nothing, as in the original: the event is only in the log."""
    return []


Translation = Callable[[Any, datetime, Board | None], list[Payload]]
#: Every event, with the function that makes its payloads.
TRANSLATIONS: dict[type[DomainEvent], Translation] = {
    events.BoardStateChanged: _sent_as_change,
    events.CardCreated: _sent_as_change,
    events.CardUpdated: _sent_as_change,
    events.CardMoved: _sent_as_change,
    events.CardDeleted: _sent_as_change,
    events.AttemptQueued: _sent_on_dashboard,
    events.AttemptStarted: _attempt_started,
    events.AttemptStatusChanged: _attempt_status,
    events.AttemptLogAppended: _attempt_log,
    events.AttemptStopped: _attempt_stopped,
    events.AttemptCompleted: _sent_as_change,
    events.AttemptConversationAppended: _conversation,
    events.AttemptSessionRecorded: _session,
    events.AttemptTodosUpdated: _todos,
    events.ProjectCreated: _sent_on_dashboard,
    events.ProjectUpdated: _sent_on_dashboard,
    events.ProjectDeleted: _ends_streams,
    events.GitStatusChanged: _git_status,
    events.GitCommitCreated: _git_commit,
    events.GitPushCompleted: _git_push,
    events.GithubPrCreated: _pull_request,
    events.AgentProfileChanged: _agent_profile,
    events.AgentRegistered: _agent_registered,
    **dict.fromkeys(
        (
            *(events.BoardColumnsInitialized, events.AttemptAutocommitRequested),
            *(events.ProjectSettingsUpdated, events.SettingsGlobalUpdated),
            *(events.GitPushRetried, events.GitPushFailed, events.GitMergeCompleted),
            *(events.GitRebaseStarted, events.GitRebaseCompleted, events.GitRebaseAborted),
            *(events.GithubIssuesImported, events.GithubPrMergedAutoClosed, events.GithubIssueClosedAutoClosed),
            *(events.GithubConnected, events.GithubDisconnected),
            *(events.WorktreeCreated, events.WorktreeRemoved, events.TerminalOpened, events.TerminalClosed),
            *(events.EditorOpenRequested, events.EditorOpenSucceeded, events.EditorOpenFailed),
        ),
        _only_logged,
    ),
}
