"""Events of the attempts of agents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import StrictInt

from realtime.kanban.conversation import ConversationItemJson
from realtime.kanban.events.base import EventPart, OfAttempt
from realtime.kanban.fields import AsItCame, IsoTime
from realtime.kanban.ids import Id
from realtime.kanban.models import AttemptStatus

__all__ = [
    "AttemptAutocommitRequested",
    "AttemptCompleted",
    "AttemptConversationAppended",
    "AttemptLogAppended",
    "AttemptQueued",
    "AttemptSessionRecorded",
    "AttemptStarted",
    "AttemptStatusChanged",
    "AttemptStopped",
    "AttemptTodosUpdated",
    "Todo",
    "Todos",
]


class AttemptQueued(OfAttempt):
    """An attempt waits for a runner."""

    type: Literal["attempt.queued"] = "attempt.queued"
    card_id: Id
    agent: Id
    branch_name: str | None = None
    base_branch: str | None = None
    profile_id: str | None = None


class AttemptStarted(OfAttempt):
    """A runner began; the card moves to In Progress."""

    type: Literal["attempt.started"] = "attempt.started"
    card_id: Id
    agent: Id
    branch_name: str | None = None
    base_branch: str | None = None
    worktree_path: str | None = None
    profile_id: str | None = None


class AttemptStatusChanged(OfAttempt):
    """The attempt has another status."""

    type: Literal["attempt.status.changed"] = "attempt.status.changed"
    status: AttemptStatus
    card_id: Id | None = None
    previous_status: AttemptStatus | None = None
    ended_at: IsoTime | None = None


class AttemptLogAppended(OfAttempt):
    """One line of the attempt's log."""

    type: Literal["attempt.log.appended"] = "attempt.log.appended"
    level: Literal["info", "warn", "error"]
    message: str
    ts: IsoTime | None = None


class AttemptConversationAppended(OfAttempt):
    """One item of the attempt's conversation."""

    type: Literal["attempt.conversation.appended"] = "attempt.conversation.appended"
    item: ConversationItemJson


class AttemptSessionRecorded(OfAttempt):
    """The agent's own session id is known."""

    type: Literal["attempt.session.recorded"] = "attempt.session.recorded"
    session_id: Id


class Todo(EventPart):
    """One entry of a todo list."""

    id: str
    text: str
    status: Literal["open", "done"]


class Todos(EventPart):
    """The agent's todo list."""

    total: StrictInt
    completed: StrictInt
    items: tuple[Todo, ...]


class AttemptTodosUpdated(OfAttempt):
    """The agent's todo list is a new one."""

    type: Literal["attempt.todos.updated"] = "attempt.todos.updated"
    todos: Annotated[dict[str, Any], AsItCame(Todos)]


class AttemptCompleted(OfAttempt):
    """The runner is done; the card moves to Review when it succeeded, else to In Progress."""

    type: Literal["attempt.completed"] = "attempt.completed"
    card_id: Id
    status: AttemptStatus
    worktree_path: str | None = None
    profile_id: str | None = None


class AttemptStopped(OfAttempt):
    """Somebody stopped the attempt."""

    type: Literal["attempt.stopped"] = "attempt.stopped"
    reason: str | None = None


class AttemptAutocommitRequested(OfAttempt):
    """The runner asks for a commit of what it has done."""

    type: Literal["attempt.autocommit.requested"] = "attempt.autocommit.requested"
