"""The immutable parts of a board: project, columns, cards, the state made of them, attempts.

A `BoardState` never changes; `changes.apply` makes the next one and shares all parts that stay the same. So a state
can be taken, queued and encoded later without a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum

from realtime.global_ids import Kind, global_id
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
    """The status of an agent's attempt."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


#: Statuses of an attempt that has not ended.
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
    #: Fixed when the project is made; ticket keys keep this prefix after a rename.
    ticket_prefix: str = "PRJ"
    status: str = "Active"

    @property
    def global_id(self) -> str:
        """The id that is unique in the installation: of the board, which shares its id (`global_ids`)."""
        return global_id(Kind.PROJECT, self.id, self.id)


@dataclass(frozen=True, slots=True)
class GithubIssue:
    """The issue a card was imported from."""

    issue_number: int
    url: str


#: Attributes in which a card caches its JSON from `wire` and `canonical`, up to the value of `updated_at`.
WRITTEN = "_written"
WRITTEN_CANONICALLY = "_canonical"


@dataclass(frozen=True)
class Card:
    """A card. It has no slots: the instance caches its encoded forms."""

    id: CardId
    #: Ids of cards are unique only within their board.
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

    @property
    def global_id(self) -> str:
        """The id that is unique in the installation: of the board and the card (`global_ids`)."""
        return global_id(Kind.CARD, self.board_id, self.id)

    def renewed(self, at: datetime) -> Card:
        """Return the card with another `updated_at`; the last result is cached.

        It costs a quarter of `dataclasses.replace`, and a move may displace thousands of cards.
        """
        own = self.__dict__
        cached: Card | None = own.get(_RENEWED)
        if cached is not None and cached.updated_at == at:
            return cached
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
        """Return whether the column has this title; case and surrounding blanks do not matter."""
        return self.title.strip().casefold() == title.casefold()


@dataclass(frozen=True, slots=True)
class BoardState:
    """All columns, in order from left to right, and all cards, in order of creation."""

    columns: Mapping[ColumnId, Column] = field(default_factory=dict)
    cards: Mapping[CardId, Card] = field(default_factory=dict)

    def column_titled(self, title: str) -> Column | None:
        """Return the first column with this title, None if the board has none."""
        return next((column for column in self.columns.values() if column.is_titled(title)), None)

    def is_done(self, card_id: CardId) -> bool:
        """Return whether a card is in a Done column; False for a card that does not exist."""
        card = self.cards.get(card_id)
        return card is not None and self.columns[card.column_id].is_titled(DONE)

    def waits_for(self, card_id: CardId) -> list[CardId]:
        """Return the cards that a card depends on and that are not Done, in the order of its dependencies."""
        return [other for other in self.cards[card_id].depends_on if not self.is_done(other)]


@dataclass(frozen=True, slots=True)
class AttemptRef:
    """The part of an attempt that streams and commands need; the rest is in the attempt's row."""

    id: AttemptId
    card_id: CardId
    status: AttemptStatus
    created_at: datetime
    #: Time of the last report by the sender's clock, and time of the end; None if not known.
    updated_at: datetime | None = None
    ended_at: datetime | None = None

    def held_at(self, at: datetime) -> bool:
        """Return whether the attempt ended after `at`, so that an event of that time is too late (docs/ingest.md)."""
        end = self.ended_at or self.updated_at
        return self.status not in ACTIVE_STATUSES and end is not None and at < end
