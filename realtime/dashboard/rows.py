"""The rows of an overview: only the fields that it needs, each row with the names of its project and card.

A store reads and counts them (`figures`). Times are aware unless a comment says something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import ACTIVE_STATUSES, AttemptStatus

__all__ = ["AgentRow", "AttemptLogRow", "AttemptRow", "CardRow", "ColumnCards", "ProjectRow", "ScannedRow"]


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project, which is also a board."""

    id: BoardId
    name: str
    repository_path: str
    created_at: datetime
    repository_slug: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnCards:
    """Number of cards in the columns of one title: of one project, or of all the projects that are not shown."""

    #: None for all projects together that are not in `DashboardFigures.projects`.
    project_id: BoardId | None
    title: str
    cards: int


@dataclass(frozen=True, slots=True)
class CardRow:
    """The card of an attempt."""

    title: str
    ticket_key: str | None = None
    pr_url: str | None = None
    #: Title of the card's column; None if there is no such column.
    column_title: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt; its project and card may be gone, or may never have existed."""

    id: AttemptId
    project_id: BoardId
    card_id: CardId
    #: Key of the agent, registered or not.
    agent: str
    status: AttemptStatus
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    #: Grows with each new attempt; orders attempts with equal times.
    sequence: int = 0
    #: None if there is no such project.
    project_name: str | None = None
    #: None if there is no such card on that project's board.
    card: CardRow | None = None

    @property
    def key(self) -> tuple[BoardId, AttemptId]:
        """The project and the attempt, because attempt ids are unique only within a board."""
        return self.project_id, self.id

    def chars(self) -> int:
        """Return the approximate number of characters of its texts."""
        card = self.card
        of_card = (card.title, card.ticket_key, card.pr_url, card.column_title) if card else ()
        return sum(len(text) for text in (self.id, self.card_id, self.agent, self.project_name, *of_card) if text)

    @property
    def is_active(self) -> bool:
        """Whether the attempt has not ended."""
        return self.status in ACTIVE_STATUSES

    @property
    def finished_at(self) -> datetime:
        """Time of the end, else of the last change."""
        return self.ended_at or self.updated_at

    @property
    def began_at(self) -> datetime:
        """Time of the start, else of the creation (a queued attempt may end without a start)."""
        return self.started_at or self.created_at

    @property
    def column_title(self) -> str | None:
        """Title of the card's column; None if there is no such card or column."""
        return self.card.column_title if self.card else None

    @property
    def pr_url(self) -> str | None:
        """URL of the card's pull request."""
        return self.card.pr_url if self.card else None


class ScannedRow(NamedTuple):
    """The columns of an attempt that `triage` reads. It reads hundreds of rows, so their times are not converted."""

    id: AttemptId
    project_id: BoardId
    card_id: CardId
    status: AttemptStatus
    #: Milliseconds since 1970; the other fields are as in `AttemptRow`.
    began_at: int
    finished_at: int
    column_title: str | None
    pr_url: str | None


@dataclass(frozen=True, slots=True)
class AttemptLogRow:
    """One line of an attempt's log."""

    project_id: BoardId
    attempt_id: AttemptId
    at: datetime
    level: str
    message: str

    @property
    def key(self) -> tuple[BoardId, AttemptId]:
        """The project and the attempt, because attempt ids are unique only within a board."""
        return self.project_id, self.attempt_id


@dataclass(frozen=True, slots=True)
class AgentRow:
    """A registered agent."""

    key: str
    label: str
