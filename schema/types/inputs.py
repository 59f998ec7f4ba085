"""The inputs of clients, converted to the form that the parsers of `realtime` read.

The inputs check nothing that `realtime` checks: one set of rules holds for every exit.
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
        """Return the command in the form of the raw exits."""
        return _given(
            columnId=self.column_id,
            title=self.title,
            description=self.description,
            ticketType=self.ticket_type,
            dependsOn=self.depends_on,
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

    def payload(self) -> dict[str, Any]:
        """Return the command in the form of the raw exits, without keys that the client did not give."""
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
        description="Its index there, from 0, counted without the card itself; a larger index means the end."
    )

    def payload(self) -> dict[str, Any]:
        """Return the command in the form of the raw exits."""
        return _given(cardId=self.card_id, toColumnId=self.to_column_id, toIndex=self.to_index)


@strawberry.input(description="The card to delete; dependencies on it are deleted with it.")
class DeleteCardInput:
    """Becomes a `DeleteCard`."""

    card_id: strawberry.ID = strawberry.field(description="The card, one of this board.")

    def payload(self) -> dict[str, Any]:
        """Return the command in the form of the raw exits."""
        return _given(cardId=self.card_id)


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

    def payload(self) -> dict[str, Any]:
        """Return the command in the form of REST, without keys that the client did not give."""
        return _given(name=self.name, repositoryPath=self.repository_path, repositoryUrl=self.repository_url)


@strawberry.input(
    description="An attempt for an external runner; a card with an earlier attempt keeps its attempt's id."
)
class QueueAttemptInput:
    """Becomes a `QueueAttempt`."""

    card_id: strawberry.ID = strawberry.field(description="The card, one of this board.")
    agent: str = strawberry.field(description="Key of the agent for the work, 1 to 200 characters, like `CODEX`.")
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

    def payload(self) -> dict[str, Any]:
        """Return the command in the form of REST."""
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
        default=None, description="Its board; required when several boards have an attempt with this id."
    )

    def payload(self) -> dict[str, Any]:
        """Return the command by its wire names."""
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
        """Return the event in the form of the ingest."""
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
    """Return the time range of the client.

    Raises:
        InvalidTimeRange: a preset and bounds, one bound without the other, or a bound that is no time.
    """
    if given is None:
        return DEFAULT_TIME_RANGE
    bounds = {"from": given.from_, "to": given.to}
    if given.preset is not None and any(text is not None for text in bounds.values()):
        raise InvalidTimeRange("preset", "expected either a preset or from and to, both came")
    for name, text in bounds.items():
        # The parser ignores an empty bound, which the query strings of the raw exits may have. Here it is an error.
        if text is not None and not text.strip():
            raise InvalidTimeRange(name, f"expected an ISO 8601 date or time, got {text!r}")
    return parse_time_range(preset=_word(given.preset), from_=given.from_, to=given.to)


def _given(**fields: Any) -> dict[str, Any]:
    return {name: _word(value) for name, value in fields.items() if value is not strawberry.UNSET}


def _word(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
