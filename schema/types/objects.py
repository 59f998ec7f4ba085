"""Projects, boards and cards as GraphQL shows them.

No code makes a `Project`, `GithubIssue` or `Card`: their fields are read from the immutable objects of
`realtime.kanban.models`. So a state with many cards costs nothing for each card. Loaders read the objects that one
refers to, as they are stored at that moment.
"""

from __future__ import annotations

from datetime import datetime

import strawberry

from realtime import ports
from realtime.global_ids import Kind, global_id
from realtime.kanban import models
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.messages.channels import board_channel
from realtime.messages.position import Position, channel_tag
from schema.execution.context import Info
from schema.execution.real_size import check_size
from schema.types.enums import ProjectStatus, TicketType
from schema.types.fields import resolved, type_of_later
from schema.types.node import Node
from schema.types.paging import (
    DEFAULT_OF_CARD,
    AfterEntry,
    Edge,
    FirstOfCard,
    PageInfo,
    Stretch,
    checked_first,
)
from schema.types.positions import offset_field
from schema.types.scalars import SafeInt

__all__ = ["BoardState", "Card", "Column", "GithubIssue", "Project", "ProjectConnection"]


async def _board(parent: strawberry.Parent[models.Project], info: Info) -> BoardState | None:
    found = await info.context.loaders.board.load(parent.id)
    if found is None:
        return None
    check_size(info, found.board.state)
    return BoardState.of(found, info.context.service.boards.epoch)


async def _attempts(
    parent: strawberry.Parent[models.Card], info: Info, first: FirstOfCard = DEFAULT_OF_CARD, after: AfterEntry = None
) -> Stretch:
    found = await info.context.loaders.attempts_of_card.load((parent.board_id, parent.id)) or ()
    most = checked_first(first, DEFAULT_OF_CARD)
    return Stretch.of_dated(board_channel(parent.board_id), found, most, after, newest_first=True)


@strawberry.type(description="A project; its board has the same id.")
class Project(Node):
    """The fields are read from `models.Project`."""

    id: strawberry.ID = strawberry.field(name="projectId", description="Id of the project and of its board.")
    name: str = strawberry.field(description="The project's name.")
    status: ProjectStatus = strawberry.field(description="Its status.")
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


@strawberry.type(description="A project, with its place.")
class ProjectEdge:
    """The fields are read from an `Edge`."""

    cursor: str = strawberry.field(description="The position of the project in the list, for `after`.")
    node: models.Project = strawberry.field(graphql_type=Project, description="The project.")


@strawberry.type(description="A page of projects, oldest first.")
class ProjectConnection:
    """The fields are read from a `Stretch`."""

    edges: list[Edge] = strawberry.field(graphql_type=list[ProjectEdge], description="The projects with their places.")
    nodes: list[models.Project] = strawberry.field(graphql_type=list[Project], description="The projects.")
    page_info: PageInfo = strawberry.field(description="How to go on.")


@strawberry.type(description="The issue on GitHub a card was imported from.")
class GithubIssue:
    """The fields are read from `models.GithubIssue`."""

    issue_number: SafeInt = strawberry.field(description="Number of the issue in its repository.")
    url: str = strawberry.field(description="Address of the issue.")


@strawberry.type(description="A card on a board.")
class Card(Node):
    """The fields are read from `models.Card`."""

    id: strawberry.ID = strawberry.field(
        name="cardId", description="Id of the card, unique on its board; `card-<uuid>` if this server has made it."
    )
    board_id: strawberry.ID = strawberry.field(description="The board.")
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
    attempts: Stretch = strawberry.field(
        resolver=_attempts,
        graphql_type=type_of_later("AttemptConnection", "schema.types.attempts"),
        description="The attempts of agents for the card, as stored now; newest created first.",
    )


@strawberry.type(description="A column of a board.")
class Column(Node):
    """A column, with its state."""

    board_id: strawberry.ID = strawberry.field(description="The board.")
    column: strawberry.Private[models.Column]
    state: strawberry.Private[models.BoardState]

    def __post_init__(self) -> None:
        """Make the field `id`."""
        self.global_id = strawberry.ID(global_id(Kind.COLUMN, self.board_id, self.column.id))

    @resolved("Id of the column, unique on its board.", strawberry.ID)
    def column_id(self) -> ColumnId:
        """The id of the column, unique on its board only."""
        return self.column.id

    @resolved("The title; those named In Progress, Review and Done have their own rules.")
    def title(self) -> str:
        """The title of the column, which decides about its rules."""
        return self.column.title

    @resolved("Ids of its cards, from top to bottom.", list[strawberry.ID])
    def card_ids(self) -> tuple[CardId, ...]:
        """The ids of its cards."""
        return self.column.card_ids

    @resolved("Its cards, from top to bottom.", list[Card])
    def cards(self) -> list[models.Card]:
        """The cards of the column, from top to bottom."""
        return [self.state.cards[card_id] for card_id in self.column.card_ids]


@strawberry.type(description="All columns and cards of a board, at one moment.")
class BoardState(Node):
    """A state and its cursor; columns and lists are made when a resolver needs them."""

    board_id: strawberry.ID = strawberry.field(description="Id of the board and of its project.")
    state: strawberry.Private[models.BoardState]
    cursor: str = strawberry.field(
        description="The position of this state in the board's history; the same string on all exits."
    )
    offset = offset_field(
        "The number in that position: the last event of the board's log that the state includes. Of two states of an "
        "epoch, the one with the greater offset is newer."
    )

    def __post_init__(self) -> None:
        """Make the field `id`."""
        self.global_id = strawberry.ID(global_id(Kind.BOARD, self.board_id, self.board_id))

    @classmethod
    def of(cls, stored: ports.StoredBoard, epoch: str) -> BoardState:
        """Return the state of a board from the rows of a store with that epoch."""
        tag = channel_tag(board_channel(stored.board.id))
        position = Position(epoch, tag, stored.offset, stored.global_offset)
        return cls(board_id=strawberry.ID(stored.board.id), state=stored.board.state, cursor=position.cursor)

    @resolved("The project of the board, as stored now; null if it has been deleted since.", Project | None)
    async def project(self, info: Info) -> models.Project | None:
        """Load the project as stored now, None if it has been deleted since."""
        return await info.context.loaders.project.load(BoardId(self.board_id))

    @resolved("Ids of the columns, from left to right.", list[strawberry.ID])
    def column_order(self) -> list[ColumnId]:
        """The ids of the columns."""
        return list(self.state.columns)

    @resolved("The columns, from left to right.", list[Column])
    def columns(self) -> list[Column]:
        """The columns, from left to right."""
        return [self._shown(column) for column in self.state.columns.values()]

    @resolved("All cards of the board, in order of creation.", list[Card])
    def cards(self) -> list[models.Card]:
        """All cards of the board, in order of creation."""
        return list(self.state.cards.values())

    def column(self, column_id: ColumnId) -> Column | None:
        """Return one column, None if the board has no such column."""
        found = self.state.columns.get(column_id)
        return None if found is None else self._shown(found)

    def _shown(self, column: models.Column) -> Column:
        return Column(board_id=self.board_id, column=column, state=self.state)
