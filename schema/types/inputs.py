"""The inputs of clients, converted to the form that the parsers of `realtime` read.

The inputs check nothing that `realtime` checks: one set of rules holds for every exit.
"""

from __future__ import annotations

import re
from dataclasses import replace
from enum import Enum
from typing import Any

import strawberry

from realtime.dashboard.time_range import DEFAULT_TIME_RANGE, InvalidTimeRange, TimeRange, parse_time_range
from realtime.errors import InvalidInput
from realtime.kanban.ids import BoardId, CardId
from realtime.kanban.input.request_key import parse_key
from schema.types.enums import TicketType, TimeRangePreset
from schema.types.node import agent_of, card_of, column_of, profile_of
from schema.types.scalars import JSON, TimeText

__all__ = [
    "KEY",
    "TODO_KEY",
    "CreateCardInput",
    "CreateProjectInput",
    "DeleteCardInput",
    "EventInput",
    "MoveCardInput",
    "QueueAttemptInput",
    "StopAttemptInput",
    "TimeRangeInput",
    "UpdateCardInput",
    "UpdateProjectInput",
    "key_of",
    "shown_name",
    "shown_refusal",
    "time_range_of",
    "wire_name",
]

#: Names of fields on the raw exits → names in GraphQL, where they differ.
_SHOWN = {"agent": "agentKey"}
#: Name in GraphQL of the `id` of an entry of a todo list.
TODO_KEY = "todoKey"
_WIRE = {**{shown: wire for wire, shown in _SHOWN.items()}, TODO_KEY: "id"}
#: The end of the path of such an `id`.
_TODO_ID = re.compile(r"^(todos\.items\.\d+)\.id$")
#: Description of an idempotency key.
KEY = (
    "A name for this request, 1 to 200 characters: sent again with the same name, the request happens once, and is "
    "answered as the first time. Another request by that name is refused."
)


def _key() -> Any:
    """Return the field for an idempotency key."""
    return strawberry.field(default=None, description=KEY)


@strawberry.input(description="A new card; it goes to the end of its column.")
class CreateCardInput:
    """Becomes a `CreateCard`."""

    column_id: strawberry.ID = strawberry.field(description="The column, one of this board.")
    title: str = strawberry.field(description="1 to 500 characters after trimming.")
    description: str | None = strawberry.field(default=None, description="Up to 64 KiB; null for none.")
    ticket_type: TicketType | None = strawberry.field(default=None, description="The kind of work; null for none.")
    depends_on: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Cards of this board that must be in Done first."
    )
    id: strawberry.ID | None = strawberry.field(
        default=None,
        description="`cardId` of the new card, 1 to 200 characters, which no card of this board may have, and which "
        "may not have the form of an `id` of this board; null = the server chooses one.",
    )
    idempotency_key: str | None = _key()

    def payload(self, board_id: BoardId) -> dict[str, Any]:
        """Return the command in the form of the raw exits."""
        return _given(
            columnId=column_of(board_id, self.column_id),
            title=self.title,
            description=self.description,
            ticketType=self.ticket_type,
            dependsOn=_cards(board_id, self.depends_on),
            id=self.id,
        )


@strawberry.input(description="New values for a card; an absent field stays unchanged.")
class UpdateCardInput:
    """Becomes an `UpdateCard`."""

    card_id: strawberry.ID = strawberry.field(description="The card, one of this board.")
    title: str | None = strawberry.field(
        default=strawberry.UNSET, description="1 to 500 characters after trimming; null is refused."
    )
    description: str | None = strawberry.field(default=strawberry.UNSET, description="Up to 64 KiB; null clears it.")
    ticket_type: TicketType | None = strawberry.field(
        default=strawberry.UNSET, description="The kind of work; null clears it."
    )
    depends_on: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="All cards of this board that must be in Done first; an empty list removes all, null is refused.",
    )
    is_enhanced: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether an agent has improved the texts; null is refused."
    )
    disable_auto_close_on_pr_merge: bool | None = strawberry.field(
        default=strawberry.UNSET,
        name="disableAutoCloseOnPRMerge",
        description="Whether the card stays in its column when its pull request is merged; null is refused.",
    )
    idempotency_key: str | None = _key()

    def payload(self, board_id: BoardId) -> dict[str, Any]:
        """Return the command in the form of the raw exits, without keys that the client did not give."""
        return _given(
            cardId=card_of(board_id, self.card_id),
            title=self.title,
            description=self.description,
            ticketType=self.ticket_type,
            dependsOn=_cards(board_id, self.depends_on),
            isEnhanced=self.is_enhanced,
            disableAutoCloseOnPRMerge=self.disable_auto_close_on_pr_merge,
        )


@strawberry.input(description="Where a card is to go; out of Done, and into In Progress while blocked, is refused.")
class MoveCardInput:
    """Becomes a `MoveCard`."""

    card_id: strawberry.ID = strawberry.field(description="The card, one of this board.")
    to_column_id: strawberry.ID = strawberry.field(description="The target column, one of this board.")
    to_index: int = strawberry.field(
        description="Its index there, from 0, counted without the card itself; a larger index means the end."
    )
    idempotency_key: str | None = _key()

    def payload(self, board_id: BoardId) -> dict[str, Any]:
        """Return the command in the form of the raw exits."""
        card_id, to_column_id = card_of(board_id, self.card_id), column_of(board_id, self.to_column_id)
        return _given(cardId=card_id, toColumnId=to_column_id, toIndex=self.to_index)


@strawberry.input(description="The card to delete; dependencies on it are deleted with it.")
class DeleteCardInput:
    """Becomes a `DeleteCard`."""

    card_id: strawberry.ID = strawberry.field(description="The card, one of this board.")
    idempotency_key: str | None = _key()

    def payload(self, board_id: BoardId) -> dict[str, Any]:
        """Return the command in the form of the raw exits."""
        return _given(cardId=card_of(board_id, self.card_id))


@strawberry.input(description="A new project; its board begins with four empty columns.")
class CreateProjectInput:
    """Becomes a `CreateProject`."""

    name: str = strawberry.field(description="1 to 200 characters after trimming.")
    repository_path: str = strawberry.field(
        description="Path of the repository on the machine of the runners; 1 to 4096 characters."
    )
    repository_url: str | None = strawberry.field(
        default=None, description="Address of the repository, a URL of up to 4096 characters; null for none."
    )
    idempotency_key: str | None = _key()

    def payload(self) -> dict[str, Any]:
        """Return the command in the form of REST."""
        return _given(name=self.name, repositoryPath=self.repository_path, repositoryUrl=self.repository_url)


@strawberry.input(description="New values for a project, at least one; an absent field stays unchanged.")
class UpdateProjectInput:
    """Becomes an `UpdateProject`."""

    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="1 to 200 characters after trimming; null is refused."
    )
    repository_path: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Path of the repository on the machine of the runners; 1 to 4096 characters, null is refused.",
    )
    repository_url: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Address of the repository, a URL of up to 4096 characters; null clears it.",
    )
    idempotency_key: str | None = _key()

    def payload(self) -> dict[str, Any]:
        """Return the command in the form of REST, without keys that the client did not give."""
        return _given(name=self.name, repositoryPath=self.repository_path, repositoryUrl=self.repository_url)


@strawberry.input(
    description="An attempt for an external runner; a card with an earlier attempt keeps its attempt's id."
)
class QueueAttemptInput:
    """Becomes a `QueueAttempt`."""

    card_id: strawberry.ID = strawberry.field(description="The card, one of this board.")
    agent: str = strawberry.field(
        name="agentKey", description="Key of the agent for the work, 1 to 200 characters, like `CODEX`."
    )
    base_branch: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The branch on which to begin, 1 to 200 characters; default `main`, null is refused.",
    )
    branch_name: str | None = strawberry.field(
        default=None,
        description="The branch for the work, 1 to 200 characters; null = made from ticket key and title.",
    )
    profile_id: strawberry.ID | None = strawberry.field(
        default=None, description="The agent's profile to work with; null for its default."
    )
    idempotency_key: str | None = _key()

    def payload(self, board_id: BoardId) -> dict[str, Any]:
        """Return the command in the form of REST."""
        return _given(
            cardId=card_of(board_id, self.card_id),
            agent=agent_of(self.agent),
            baseBranch=self.base_branch,
            branchName=self.branch_name,
            profileId=None if self.profile_id is None else profile_of(self.profile_id),
        )


@strawberry.input(description="The attempt to stop; a queued one ends at once, a running one when its runner says so.")
class StopAttemptInput:
    """Becomes a `StopAttempt`."""

    attempt_id: strawberry.ID = strawberry.field(description="The attempt.")
    board_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its board; required when several boards have an attempt with this id."
    )
    idempotency_key: str | None = _key()


@strawberry.input(description="An event from outside, as `POST /api/v1/events` takes it.")
class EventInput:
    """Becomes an `Incoming`."""

    name: str = strawberry.field(description="Name of the event, like `attempt.started`.")
    payload: JSON = strawberry.field(description="What happened: an object whose fields depend on the name.")
    at: TimeText | None = strawberry.field(default=None, description="When it happened; null for now.")
    id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Idempotency key, 1 to 200 characters: the same event with the same one is published once.",
    )

    def entry(self) -> dict[str, Any]:
        """Return the event in the form of the ingest."""
        return {"name": self.name, "payload": self.payload, "at": self.at, "id": self.id}


@strawberry.input(description="A range of time: a preset, or both bounds. Nothing at all is the last 7 days.")
class TimeRangeInput:
    """Becomes a `TimeRange`."""

    preset: TimeRangePreset | None = strawberry.field(default=None, description="A range that ends now.")
    from_: TimeText | None = strawberry.field(default=None, name="from", description="First instant.")
    to: TimeText | None = strawberry.field(default=None, description="The instant before which the range ends.")


def key_of(given: str | None) -> str | None:
    """Return an idempotency key of the client.

    Raises:
        InvalidInput: it is empty or too long.
    """
    return parse_key(given, "idempotencyKey")


def time_range_of(given: TimeRangeInput | None) -> TimeRange:
    """Return the time range of the client.

    Raises:
        InvalidTimeRange: a preset and bounds, or one bound without the other.
    """
    if given is None:
        return DEFAULT_TIME_RANGE
    bounds = {"from": given.from_, "to": given.to}
    missing = [name for name, text in bounds.items() if text is None]
    if given.preset is not None and len(missing) < len(bounds):
        raise InvalidTimeRange("preset", "expected either a preset or from and to, both came")
    if len(missing) == 1:
        raise InvalidTimeRange(missing[0], "expected a time, because a range has both bounds or none; none came")
    return parse_time_range(preset=_word(given.preset), from_=given.from_, to=given.to)


def shown_name(name: str) -> str:
    """Return the name in GraphQL of a field of the raw exits, or of its path in the payload of an event."""
    return _TODO_ID.sub(rf"\1.{TODO_KEY}", _SHOWN.get(name, name))


def wire_name(name: str) -> str:
    """Return the name on the raw exits of a field of GraphQL."""
    return _WIRE.get(name, name)


def shown_refusal(refused: InvalidInput) -> InvalidInput:
    """Return the refusal with the names that the client used."""
    return InvalidInput(*(replace(one, field=shown_name(one.field)) for one in refused.fields))


def _cards(board_id: BoardId, given: list[strawberry.ID] | None) -> list[CardId] | None:
    return [card_of(board_id, one) for one in given] if given else given  # type: ignore[return-value]  # or empty


def _given(**fields: Any) -> dict[str, Any]:
    return {name: _word(value) for name, value in fields.items() if value is not strawberry.UNSET}


def _word(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
