"""Events of the attempts of agents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StrictInt

from realtime.kanban.conversation import ConversationItemJson
from realtime.kanban.events.base import EventPart, OfAttempt
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import AsItCame, IsoTime
from realtime.kanban.input.many import Many
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
    card_id: Id = Field(description="Id of the card the attempt is at.")
    agent: Id = Field(description="Key of the agent that is to work, 1 to 200 characters.")
    branch_name: str | None = Field(default=None, description="The branch to work on.")
    base_branch: str | None = Field(default=None, description="The branch to begin at.")
    profile_id: str | None = Field(default=None, description="Id of the agent's profile to work with.")


class AttemptStarted(OfAttempt):
    """A runner began; the card moves to In Progress."""

    type: Literal["attempt.started"] = "attempt.started"
    card_id: Id = Field(description="Id of the card the attempt is at; it moves to In Progress.")
    agent: Id = Field(description="Key of the agent that works, 1 to 200 characters.")
    branch_name: str | None = Field(default=None, description="The branch it works on.")
    base_branch: str | None = Field(default=None, description="The branch it began at.")
    worktree_path: str | None = Field(default=None, description="Where its working tree lies on the runner's machine.")
    profile_id: str | None = Field(default=None, description="Id of the agent's profile it works with.")


class AttemptStatusChanged(OfAttempt):
    """The attempt has another status."""

    type: Literal["attempt.status.changed"] = "attempt.status.changed"
    status: AttemptStatus = Field(description="Where the attempt stands now.")
    card_id: Id | None = Field(default=None, description="Id of the card the attempt is at.")
    previous_status: AttemptStatus | None = Field(default=None, description="Where it stood before.")
    ended_at: IsoTime | None = Field(
        default=None,
        description="When it ended: RFC 3339 with an offset; left out, the time of the event; null if unknown.",
    )


class AttemptLogAppended(OfAttempt):
    """One line of the attempt's log."""

    type: Literal["attempt.log.appended"] = "attempt.log.appended"
    level: Literal["info", "warn", "error"] = Field(description="How serious the line is.")
    message: str = Field(description="The line itself; it may have several lines of text.")
    ts: IsoTime | None = Field(
        default=None,
        description="When it was written: RFC 3339 with an offset; left out, the time of the event counts.",
    )


class AttemptConversationAppended(OfAttempt):
    """One item of the attempt's conversation."""

    type: Literal["attempt.conversation.appended"] = "attempt.conversation.appended"
    item: ConversationItemJson = Field(
        description="An object of `type` (`message`, `thinking`, `tool`, `error`, `automation`), `timestamp` and more."
    )


class AttemptSessionRecorded(OfAttempt):
    """The agent's own session id is known."""

    type: Literal["attempt.session.recorded"] = "attempt.session.recorded"
    session_id: Id = Field(description="The agent's own id of its session.")


class Todo(EventPart):
    """One entry of a todo list."""

    id: str = Field(description="Id of the entry within its list.")
    text: str = Field(description="What is to be done.")
    status: Literal["open", "done"] = Field(description="Whether it is done.")


class Todos(EventPart):
    """The agent's todo list."""

    total: StrictInt = Field(description="Number of entries.")
    completed: StrictInt = Field(description="Number of entries that are done.")
    items: Annotated[tuple[Todo, ...], Many] = Field(description="The entries, in order.")


class AttemptTodosUpdated(OfAttempt):
    """The agent's todo list is a new one."""

    type: Literal["attempt.todos.updated"] = "attempt.todos.updated"
    todos: Annotated[dict[str, Any], AsItCame(Todos)] = Field(description="The whole new list.")


class AttemptCompleted(OfAttempt):
    """The runner is done; the card moves to Review when it succeeded, else to In Progress."""

    type: Literal["attempt.completed"] = "attempt.completed"
    card_id: Id = Field(
        description="Id of the card; it moves to Review when the attempt succeeded, else to In Progress."
    )
    status: AttemptStatus = Field(description="How the attempt ended.")
    worktree_path: str | None = Field(default=None, description="Where its working tree lies on the runner's machine.")
    profile_id: str | None = Field(default=None, description="Id of the agent's profile it worked with.")


class AttemptStopped(OfAttempt):
    """Somebody stopped the attempt."""

    type: Literal["attempt.stopped"] = "attempt.stopped"
    reason: str | None = Field(default=None, description="Why it was stopped, like `user`.")


class AttemptAutocommitRequested(OfAttempt):
    """The runner asks for a commit of what it has done."""

    type: Literal["attempt.autocommit.requested"] = "attempt.autocommit.requested"
