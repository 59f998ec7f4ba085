"""The things on a board, frozen: project, columns, cards, the state made of them, attempts.

A `BoardState` is never changed; `changes.apply` makes the next one and shares what did not change. That is why
a snapshot may be taken, queued and encoded later without a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum

from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId

__all__ = [
    "ACTIVE_STATUSES",
    "DEFAULT_COLUMNS",
    "DONE",
    "IN_PROGRESS",
    "REVIEW",
    "WRITTEN",
    "WRITTEN_CANONICALLY",
    "AttemptRef",
    "AttemptStatus",
    "BoardState",
    "Card",
    "Column",
    "GithubIssue",
    "Project",
    "TicketType",
]

IN_PROGRESS = "In Progress"
REVIEW = "Review"
DONE = "Done"
#: Titles of the columns of a new board, in order (docs/protocol.md, "State").
DEFAULT_COLUMNS = ("Backlog", IN_PROGRESS, REVIEW, DONE)


class TicketType(StrEnum):
    """The kinds of work a card may be (docs/protocol.md, "State")."""

    FEAT = "feat"
    FIX = "fix"
    CHORE = "chore"
    DOCS = "docs"
    STYLE = "style"
    REFACTOR = "refactor"
    PERF = "perf"
    TEST = "test"
    BUILD = "build"
    CI = "ci"
    REVERT = "revert"


class AttemptStatus(StrEnum):
    """Where an attempt of an agent stands."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


#: An attempt in one of these is not over yet.
ACTIVE_STATUSES = frozenset({AttemptStatus.QUEUED, AttemptStatus.RUNNING, AttemptStatus.STOPPING})


@dataclass(frozen=True, slots=True)
class Project:
    """A project and its board: one id for both."""

    id: BoardId
    name: str
    repository_path: str
    created_at: datetime
    repository_url: str | None = None
    #: `owner/name` from the URL, else the last part of the path.
    repository_slug: str | None = None
    #: Fixed when the project is made; later ticket keys keep it after a rename.
    ticket_prefix: str = "PRJ"
    status: str = "Active"


@dataclass(frozen=True, slots=True)
class GithubIssue:
    """The issue a card was imported from."""

    issue_number: int
    url: str


#: Where a card keeps what `wire` and `canonical` write of it, which ends before its `updated_at`.
WRITTEN = "_written"
WRITTEN_CANONICALLY = "_canonical"


@dataclass(frozen=True)
class Card:
    """A card. Not slotted: what is made of it is kept in the instance."""

    id: CardId
    #: Ids of cards are unique on their board only.
    board_id: BoardId
    column_id: ColumnId
    title: str
    created_at: datetime
    updated_at: datetime
    ticket_key: str | None = None
    pr_url: str | None = None
    disable_auto_close_on_pr_merge: bool = False
    ticket_type: TicketType | None = None
    is_enhanced: bool = False
    github_issue: GithubIssue | None = None
    description: str | None = None
    depends_on: tuple[CardId, ...] = ()

    def renewed(self, at: datetime) -> Card:
        """Return the card with another `updated_at`; the last one that was made is kept.

        `dataclasses.replace` at a quarter of its cost: a move may displace thousands of cards.
        """
        own = self.__dict__
        kept: Card | None = own.get(_RENEWED)
        if kept is not None and kept.updated_at == at:
            return kept
        twin = object.__new__(Card)
        twin.__dict__.update({name: own[name] for name in _INHERITED if name in own}, updated_at=at)
        own[_RENEWED] = twin
        return twin


_RENEWED = "_renewed"
_INHERITED = (*(one.name for one in fields(Card)), WRITTEN, WRITTEN_CANONICALLY)


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its cards from top to bottom."""

    id: ColumnId
    title: str
    card_ids: tuple[CardId, ...] = ()

    def is_titled(self, title: str) -> bool:
        """Tell whether the column is the one of that role; case and outer blanks do not matter."""
        return self.title.strip().casefold() == title.casefold()


@dataclass(frozen=True, slots=True)
class BoardState:
    """All columns, in order from left to right, and all cards, in order of creation."""

    columns: Mapping[ColumnId, Column] = field(default_factory=dict)
    cards: Mapping[CardId, Card] = field(default_factory=dict)

    def column_titled(self, title: str) -> Column | None:
        """Return the first column in the role of `title`, None when the board has none."""
        return next((column for column in self.columns.values() if column.is_titled(title)), None)

    def is_done(self, card_id: CardId) -> bool:
        """Tell whether a card is in a Done column; a card that does not exist is not."""
        card = self.cards.get(card_id)
        return card is not None and self.columns[card.column_id].is_titled(DONE)

    def waits_for(self, card_id: CardId) -> list[CardId]:
        """Return the cards a card depends on that are not Done, in the order of its dependencies."""
        return [other for other in self.cards[card_id].depends_on if not self.is_done(other)]


@dataclass(frozen=True, slots=True)
class AttemptRef:
    """What the streams and commands need to know of an attempt; the rest is in its row."""

    id: AttemptId
    card_id: CardId
    status: AttemptStatus
    created_at: datetime
    #: When it was last reported of, by the sender's clock, and when it ended; None where it is not known.
    updated_at: datetime | None = None
    ended_at: datetime | None = None

    def held_at(self, at: datetime) -> bool:
        """Tell whether its end holds against an event of that time: a late one, older than the end (docs/ingest.md)."""
        end = self.ended_at or self.updated_at
        return self.status not in ACTIVE_STATUSES and end is not None and at < end
