"""What clients send, and how it becomes what the core's own parsers read.

Nothing is checked here that `realtime` checks: one set of rules for every door.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import strawberry

from realtime.dashboard.time_range import DEFAULT_TIME_RANGE, InvalidTimeRange, TimeRange, parse_time_range
from schema.types.enums import TicketType, TimeRangePreset
from schema.types.scalars import JSON

__all__ = [
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
    "time_range_of",
]


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

    def payload(self) -> dict[str, Any]:
        """Return the command as the raw exits write it."""
        return _given(
            columnId=self.column_id,
            title=self.title,
            description=self.description,
            ticketType=self.ticket_type,
            dependsOn=self.depends_on,
        )


@strawberry.input(description="New values for a card; a field that is left out stays as it is.")
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
        description="All cards of this board that must be in Done first; an empty list clears them, null is refused.",
    )
    is_enhanced: bool | None = strawberry.field(
        default=strawberry.UNSET, description="Whether an agent has improved the texts; null is refused."
    )
    disable_auto_close_on_pr_merge: bool | None = strawberry.field(
        default=strawberry.UNSET,
        name="disableAutoCloseOnPRMerge",
        description="Whether the card stays where it is when its pull request is merged; null is refused.",
    )

    def payload(self) -> dict[str, Any]:
        """Return the command as the raw exits write it: keys that were not given are absent."""
        return _given(
            cardId=self.card_id,
            title=self.title,
            description=self.description,
            ticketType=self.ticket_type,
            dependsOn=self.depends_on,
            isEnhanced=self.is_enhanced,
            disableAutoCloseOnPRMerge=self.disable_auto_close_on_pr_merge,
        )


@strawberry.input(description="Where a card is to go; out of Done, and into In Progress while blocked, is refused.")
class MoveCardInput:
    """Becomes a `MoveCard`."""

    card_id: strawberry.ID = strawberry.field(description="The card, one of this board.")
    to_column_id: strawberry.ID = strawberry.field(description="The target column, one of this board.")
    to_index: int = strawberry.field(
        description="Its place there, from 0, counted without the card itself; beyond the end is the end."
    )

    def payload(self) -> dict[str, Any]:
        """Return the command as the raw exits write it."""
        return _given(cardId=self.card_id, toColumnId=self.to_column_id, toIndex=self.to_index)


@strawberry.input(description="The card to delete; dependencies on it are deleted with it.")
class DeleteCardInput:
    """Becomes a `DeleteCard`."""

    card_id: strawberry.ID = strawberry.field(description="The card, one of this board.")

    def payload(self) -> dict[str, Any]:
        """Return the command as the raw exits write it."""
        return _given(cardId=self.card_id)


@strawberry.input(description="A new project; its board begins with four empty columns.")
class CreateProjectInput:
    """Becomes a `CreateProject`."""

    name: str = strawberry.field(description="1 to 200 characters after trimming.")
    repository_path: str = strawberry.field(
        description="Where the repository lies on the machine of the runners; 1 to 4096 characters."
    )
    repository_url: str | None = strawberry.field(
        default=None, description="Address of the repository, a URL of up to 4096 characters; null for none."
    )

    def payload(self) -> dict[str, Any]:
        """Return the command as REST writes it."""
        return _given(name=self.name, repositoryPath=self.repository_path, repositoryUrl=self.repository_url)


@strawberry.input(description="New values for a project, at least one; a field that is left out stays as it is.")
class UpdateProjectInput:
    """Becomes an `UpdateProject`."""

    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="1 to 200 characters after trimming; null is refused."
    )
    repository_path: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Where the repository lies on the machine of the runners; 1 to 4096 characters, null is refused.",
    )
    repository_url: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Address of the repository, a URL of up to 4096 characters; null clears it.",
    )

    def payload(self) -> dict[str, Any]:
        """Return the command as REST writes it: keys that were not given are absent."""
        return _given(name=self.name, repositoryPath=self.repository_path, repositoryUrl=self.repository_url)


@strawberry.input(description="An attempt for a runner outside; a card that was tried before keeps its attempt's id.")
class QueueAttemptInput:
    """Becomes a `QueueAttempt`."""

    card_id: strawberry.ID = strawberry.field(description="The card, one of this board.")
    agent: str = strawberry.field(description="Key of the agent that is to work, 1 to 200 characters, like `CODEX`.")
    base_branch: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The branch to begin at, 1 to 200 characters; `main` when left out, null is refused.",
    )
    branch_name: str | None = strawberry.field(
        default=None,
        description="The branch to work on, 1 to 200 characters; null makes one of ticket key and title.",
    )
    profile_id: strawberry.ID | None = strawberry.field(
        default=None, description="The agent's profile to work with; null for its default."
    )

    def payload(self) -> dict[str, Any]:
        """Return the command as REST writes it."""
        return _given(
            cardId=self.card_id,
            agent=self.agent,
            baseBranch=self.base_branch,
            branchName=self.branch_name,
            profileId=self.profile_id,
        )


@strawberry.input(description="The attempt to stop; a queued one ends at once, a running one when its runner says so.")
class StopAttemptInput:
    """Becomes a `StopAttempt`."""

    attempt_id: strawberry.ID = strawberry.field(description="The attempt.")
    board_id: strawberry.ID | None = strawberry.field(
        default=None, description="Its board; needed when several boards have an attempt of that id."
    )

    def payload(self) -> dict[str, Any]:
        """Return the command by wire names."""
        return _given(attemptId=self.attempt_id)


@strawberry.input(description="An event from outside, as `POST /api/v1/events` takes it.")
class EventInput:
    """Becomes an `Incoming`."""

    name: str = strawberry.field(description="Name of the event, like `attempt.started`.")
    payload: JSON = strawberry.field(description="What happened: an object whose fields depend on the name.")
    at: str | None = strawberry.field(
        default=None, description="When it happened: RFC 3339 with an offset; null for now."
    )
    id: strawberry.ID | None = strawberry.field(
        default=None, description="Idempotency key, 1 to 200 characters: a repeated one publishes nothing."
    )

    def entry(self) -> dict[str, Any]:
        """Return the event as the ingest reads it."""
        return {"name": self.name, "payload": self.payload, "at": self.at, "id": self.id}


@strawberry.input(description="A range of time: a preset, or both bounds. Nothing at all is the last 7 days.")
class TimeRangeInput:
    """Becomes a `TimeRange`."""

    preset: TimeRangePreset | None = strawberry.field(default=None, description="A range that ends now.")
    from_: str | None = strawberry.field(
        default=None, name="from", description="First instant: an ISO 8601 date or time; UTC where no offset is given."
    )
    to: str | None = strawberry.field(
        default=None, description="The instant before which the range ends; written like `from`."
    )


def time_range_of(given: TimeRangeInput | None) -> TimeRange:
    """Return the range a client asks for.

    Raises:
        InvalidTimeRange: a preset and bounds, one bound without the other, or a bound that is no time.
    """
    if given is None:
        return DEFAULT_TIME_RANGE
    bounds = {"from": given.from_, "to": given.to}
    if given.preset is not None and any(text is not None for text in bounds.values()):
        raise InvalidTimeRange("preset", "expected either a preset or from and to, both came")
    for name, text in bounds.items():
        # The core's parser passes over an empty bound, as the query strings of the raw exits want it.
        if text is not None and not text.strip():
            raise InvalidTimeRange(name, f"expected an ISO 8601 date or time, got {text!r}")
    return parse_time_range(preset=_word(given.preset), from_=given.from_, to=given.to)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: _word(value) for name, value in fields.items() if value is not strawberry.UNSET}


def _word(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
