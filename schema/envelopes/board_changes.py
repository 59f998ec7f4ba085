"""The members of `boardChanges`: the board once, then each single change, with all data to apply it.

As in `feed`, fields with one name have one type in all members. `change_mapping` makes them from envelopes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from realtime.kanban import changes, models
from schema.envelopes.feed import Gap, Goodbye, Hello, State
from schema.types.enums import CardField, TicketType
from schema.types.objects import Card, GithubIssue

__all__ = [
    "BoardChange",
    "CardCreated",
    "CardDeleted",
    "CardMoved",
    "CardUpdated",
    "ColumnHeading",
    "ColumnsChanged",
    "Heartbeat",
]

_RENEWAL = "The new `updatedAt` of every card whose index in its column has changed{besides}; null when there is none."


@strawberry.type
class _Change:
    """Fields of all changes; no type of the schema."""

    cursor: str | None = strawberry.field(
        description="The position after this change, the same string on all exits; never null."
    )


@strawberry.type(description="A card is new.")
class CardCreated(_Change):
    """`card_created`."""

    column_id: strawberry.ID = strawberry.field(description="Its column.")
    index: int = strawberry.field(description="Its place in the column, from 0; the cards from there on make room.")
    card: models.Card = strawberry.field(graphql_type=Card, description="The card.")


@strawberry.type(description="A card has new values; its place is the same. Only those named in `fields` are new.")
class CardUpdated(_Change):
    """`card_updated`. A list is never null in this schema, so an unchanged `dependsOn` is empty."""

    card_id: strawberry.ID = strawberry.field(description="The card.")
    fields: list[CardField] = strawberry.field(
        description="The changed fields; all other fields below are null (or empty), whatever their value on the card."
    )
    ticket_key: str | None = strawberry.field(description="The new key of its ticket.")
    title: str | None = strawberry.field(description="The new title.")
    description: str | None = strawberry.field(description="The new text; null without one.")
    ticket_type: TicketType | None = strawberry.field(description="The new kind of work; null when not given.")
    depends_on: list[strawberry.ID] = strawberry.field(
        description="All cards on which it depends now; empty when there are none, or when this has not changed."
    )
    is_enhanced: bool | None = strawberry.field(description="Whether an agent has improved title and description.")
    pr_url: str | None = strawberry.field(description="The new address of its pull request.")
    disable_auto_close_on_pr_merge: bool | None = strawberry.field(
        name="disableAutoCloseOnPRMerge", description="Whether it stays in its column when its pull request is merged."
    )
    github_issue: models.GithubIssue | None = strawberry.field(
        graphql_type=GithubIssue | None, description="The issue the card was imported from."
    )
    created_at: datetime | None = strawberry.field(description="When the card was made (states from outside say so).")
    updated_at: datetime | None = strawberry.field(description="When the card itself last changed.")


@strawberry.type(description="A card is at another place.")
class CardMoved(_Change):
    """`card_moved`."""

    card_id: strawberry.ID = strawberry.field(description="The card.")
    from_column_id: strawberry.ID = strawberry.field(description="The column in which it was.")
    from_index: int = strawberry.field(description="Its index there.")
    to_column_id: strawberry.ID = strawberry.field(description="The column in which it is now.")
    to_index: int = strawberry.field(description="Its index there, counted without the card.")
    updated_at: str | None = strawberry.field(
        graphql_type=datetime | None, description=_RENEWAL.format(besides=", the moved one included")
    )


@strawberry.type(description="A card is gone.")
class CardDeleted(_Change):
    """`card_deleted`."""

    card_id: strawberry.ID = strawberry.field(description="The card.")
    column_id: strawberry.ID = strawberry.field(description="The column in which it was.")
    index: int = strawberry.field(description="Its index there; the cards below move up.")
    updated_at: str | None = strawberry.field(graphql_type=datetime | None, description=_RENEWAL.format(besides=""))


@strawberry.type(description="A column without its cards.")
class ColumnHeading:
    """The fields are read from `changes.Heading`."""

    id: strawberry.ID = strawberry.field(description="Id of the column.")
    title: str = strawberry.field(description="Its title.")


@strawberry.type(
    description="The columns, their titles or their order have changed. New columns begin empty; only empty columns "
    "are removed."
)
class ColumnsChanged(_Change):
    """`columns_changed`."""

    columns: Sequence[changes.Heading] = strawberry.field(
        graphql_type=list[ColumnHeading], description="All columns, from left to right."
    )


@strawberry.type(
    description="A heartbeat, every `heartbeatSeconds` of `Hello`, with which a client can check its copy."
)
class Heartbeat:
    """`heartbeat`."""

    cursor: str | None = strawberry.field(
        description="The position after everything sent so far, the same string on all exits; never null."
    )
    ts: str = strawberry.field(graphql_type=datetime, description="The server's clock.")
    hash: str = strawberry.field(
        description="SHA-256, in lower-case hex, of the board's state at that position: the state of the raw exits in "
        "the canonical form of RFC 8785."
    )


BoardChange = Annotated[
    Hello | State | CardCreated | CardUpdated | CardMoved | CardDeleted | ColumnsChanged | Heartbeat | Gap | Goodbye,
    strawberry.union("BoardChange", description="A snapshot of a board, then its changes in order."),
]
