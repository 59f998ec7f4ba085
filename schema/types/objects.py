"""Projects, boards and cards as GraphQL shows them.

No code makes a `Project`, `GithubIssue` or `Card`: their fields are read from the immutable objects of
`realtime.kanban.models`. So a state with many cards costs nothing for each card. Loaders read the objects that one
refers to, as they are stored at that moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from realtime import ports
from realtime.kanban import models
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.messages.channels import board_channel
from realtime.messages.position import Position, channel_tag
from schema.execution.context import Info
from schema.execution.real_size import check_size
from schema.types.enums import TicketType
from schema.types.fields import list_of_later, resolved
from schema.types.scalars import SafeInt

__all__ = ["BoardState", "Card", "Column", "GithubIssue", "Project"]


async def _board(parent: strawberry.Parent[models.Project], info: Info) -> BoardState | None:
    found = await info.context.loaders.board.load(parent.id)
    if found is None:
        return None
    check_size(info, found.board.state)
    return BoardState.of(found, info.context.service.boards.epoch)


async def _attempts(parent: strawberry.Parent[models.Card], info: Info) -> Sequence[ports.Attempt]:
    return await info.context.loaders.attempts_of_card.load((parent.board_id, parent.id)) or ()


@strawberry.type(description="A project; its board has the same id.")
class Project:
    """The fields are read from `models.Project`."""

    id: strawberry.ID = strawberry.field(description="Id of the project and of its board.")
    name: str = strawberry.field(description="The project's name.")
    status: str = strawberry.field(description="`Active`.")
    ticket_prefix: str = strawberry.field(
        description="Prefix of the board's ticket keys; made from the first name, and unchanged by a rename."
    )
    repository_path: str = strawberry.field(description="Path of the repository on the machine of the runners.")
    repository_url: str | None = strawberry.field(description="Address of the repository, if it has one.")
    repository_slug: str | None = strawberry.field(
        description="`owner/name` from the address; without an address, the last part of the path."
    )
    created_at: datetime = strawberry.field(description="When the project was made.")
    board: BoardState | None = strawberry.field(
        resolver=_board, description="Its board as stored now; null if it was deleted at this moment."
    )


@strawberry.type(description="The issue on GitHub a card was imported from.")
class GithubIssue:
    """The fields are read from `models.GithubIssue`."""

    issue_number: SafeInt = strawberry.field(description="Number of the issue in its repository.")
    url: str = strawberry.field(description="Address of the issue.")


@strawberry.type(description="A card on a board.")
class Card:
    """The fields are read from `models.Card`."""

    id: strawberry.ID = strawberry.field(description="Id of the card; `card-<uuid>` if this server has made it.")
    ticket_key: str | None = strawberry.field(
        description="`<prefix>-<n>`, numbered from 1 per board; null on cards that came from outside without one."
    )
    title: str = strawberry.field(description="The title, 1 to 500 characters.")
    description: str | None = strawberry.field(description="The text below the title, up to 64 KiB; null without one.")
    ticket_type: TicketType | None = strawberry.field(description="The kind of work; null when not given.")
    column_id: strawberry.ID = strawberry.field(description="The column that holds the card.")
    depends_on: list[strawberry.ID] = strawberry.field(
        description="Cards of the board that must be in Done before this one may go to In Progress."
    )
    is_enhanced: bool = strawberry.field(description="Whether an agent has improved title and description.")
    pr_url: str | None = strawberry.field(description="Address of the pull request an attempt opened for the card.")
    disable_auto_close_on_pr_merge: bool = strawberry.field(
        name="disableAutoCloseOnPRMerge",
        description="Whether the card stays in its column when its pull request is merged.",
    )
    github_issue: GithubIssue | None = strawberry.field(description="The issue the card was imported from, if any.")
    created_at: datetime = strawberry.field(description="When the card was made.")
    updated_at: datetime = strawberry.field(description="When the card itself last changed; moving it counts.")
    attempts: Sequence[ports.Attempt] = strawberry.field(
        resolver=_attempts,
        graphql_type=list_of_later("Attempt", "schema.types.attempts"),
        description="The attempts of agents for the card, as stored now; newest created first.",
    )


@strawberry.type(description="A column of a board.")
class Column:
    """A column, with its state."""

    column: strawberry.Private[models.Column]
    state: strawberry.Private[models.BoardState]

    @resolved("Id of the column.", strawberry.ID)
    def id(self) -> ColumnId:
        """The column's id."""
        return self.column.id

    @resolved("The title; those named In Progress, Review and Done have their own rules.")
    def title(self) -> str:
        """The column's title."""
        return self.column.title

    @resolved("Ids of its cards, from top to bottom.", list[strawberry.ID])
    def card_ids(self) -> tuple[CardId, ...]:
        """The ids of its cards."""
        return self.column.card_ids

    @resolved("Its cards, from top to bottom.", list[Card])
    def cards(self) -> list[models.Card]:
        """Its cards."""
        return [self.state.cards[card_id] for card_id in self.column.card_ids]


@strawberry.type(description="All columns and cards of a board, at one moment.")
class BoardState:
    """A state and its cursor; columns and lists are made when a resolver needs them."""

    board_id: strawberry.Private[BoardId]
    state: strawberry.Private[models.BoardState]
    cursor: str = strawberry.field(
        description="The position of this state in the board's history; the same string on all exits."
    )

    @classmethod
    def of(cls, stored: ports.StoredBoard, epoch: str) -> BoardState:
        """Return the state of a board from the rows of a store with that epoch."""
        tag = channel_tag(board_channel(stored.board.id))
        position = Position(epoch, tag, stored.offset, stored.global_offset)
        return cls(board_id=stored.board.id, state=stored.board.state, cursor=position.cursor)

    @resolved("The project of the board, as stored now; null if it has been deleted since.", Project | None)
    async def project(self, info: Info) -> models.Project | None:
        """Load the project."""
        return await info.context.loaders.project.load(self.board_id)

    @resolved("Ids of the columns, from left to right.", list[strawberry.ID])
    def column_order(self) -> list[ColumnId]:
        """The ids of the columns."""
        return list(self.state.columns)

    @resolved("The columns, from left to right.", list[Column])
    def columns(self) -> list[Column]:
        """The columns."""
        return [Column(column=column, state=self.state) for column in self.state.columns.values()]

    @resolved("All cards of the board, in order of creation.", list[Card])
    def cards(self) -> list[models.Card]:
        """All cards."""
        return list(self.state.cards.values())
