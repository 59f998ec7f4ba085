"""Payloads about the attempts of agents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from realtime.kanban.conversation import ConversationItemJson
from realtime.kanban.events import Todos
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import AsItCame, IsoTime
from realtime.kanban.models import AttemptStatus
from realtime.messages.payloads.base import Payload, key, optional_key, payload

__all__ = [
    "AttemptLog",
    "AttemptSession",
    "AttemptStarted",
    "AttemptStatusChanged",
    "AttemptTodos",
    "ConversationItemAppended",
]

_ATTEMPT = "Id of the attempt."


@payload
class AttemptStarted(Payload):
    """A runner began an attempt."""

    type: ClassVar[str] = "attempt_started"
    attempt_id: Id = key(_ATTEMPT)
    card_id: Id = key("Id of the card that is worked on.")


@payload
class AttemptStatusChanged(Payload):
    """The status of an attempt: at the start once for each attempt, then after each change."""

    type: ClassVar[str] = "attempt_status"
    attempt_id: Id = key(_ATTEMPT)
    card_id: Id | None = optional_key("Id of the card; absent when the attempt is not known.")
    status: AttemptStatus = key("Where it stands now.")


@payload
class AttemptLog(Payload):
    """A line of an attempt's log."""

    type: ClassVar[str] = "attempt_log"
    attempt_id: Id = key(_ATTEMPT)
    level: Literal["info", "warn", "error"] = key("How serious the line is.")
    message: str = key("The line itself; it may have several lines of text.")
    ts: IsoTime | None = optional_key("When it was written; absent when the reporter did not say.")
    #: Time of the event if the line is kept in the attempt's log; None = it is only on the streams. Not on the wire.
    kept_at: datetime | None = None


@payload
class ConversationItemAppended(Payload):
    """An item of an attempt's conversation."""

    type: ClassVar[str] = "conversation_item"
    attempt_id: Id = key(_ATTEMPT)
    item: ConversationItemJson = key("The item; it replaces an earlier one of the same `id`.")


@payload
class AttemptSession(Payload):
    """The agent's own session of an attempt is known."""

    type: ClassVar[str] = "attempt_session"
    attempt_id: Id = key(_ATTEMPT)
    session_id: Id = key("The agent's own id of its session.")


@payload
class AttemptTodos(Payload):
    """The agent's todo list of an attempt is a new one."""

    type: ClassVar[str] = "attempt_todos"
    attempt_id: Id = key(_ATTEMPT)
    todos: Annotated[dict[str, Any], AsItCame(Todos)] = key("The whole new list.")
