"""The rows an overview shows: only the fields it needs, each with what it belongs to.

Reading them is the store's, counting them too (`figures`). Times are aware where nothing else is said.
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
    """A project, that is, a board."""

    id: BoardId
    name: str
    repository_path: str
    created_at: datetime
    repository_slug: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnCards:
    """How many cards lie in the columns of one title: those of a project, or of all the projects not shown."""

    #: None: of the projects that are not in `DashboardFigures.projects`, together.
    project_id: BoardId | None
    title: str
    cards: int


@dataclass(frozen=True, slots=True)
class CardRow:
    """The card of an attempt."""

    title: str
    ticket_key: str | None = None
    pr_url: str | None = None
    #: Title of the column it lies in; None when there is no such column.
    column_title: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt; its project and card need not exist (any more)."""

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
    #: Grows with each new attempt; breaks ties between equal times.
    sequence: int = 0
    #: None when there is no such project.
    project_name: str | None = None
    #: None when there is no such card on that project's board.
    card: CardRow | None = None

    @property
    def key(self) -> tuple[BoardId, AttemptId]:
        """The attempt: ids are unique on their board only."""
        return self.project_id, self.id

    def chars(self) -> int:
        """Return about how many characters its texts have."""
        card = self.card
        of_card = (card.title, card.ticket_key, card.pr_url, card.column_title) if card else ()
        return sum(len(text) for text in (self.id, self.card_id, self.agent, self.project_name, *of_card) if text)

    @property
    def is_active(self) -> bool:
        """Whether it is not over yet."""
        return self.status in ACTIVE_STATUSES

    @property
    def finished_at(self) -> datetime:
        """When it ended, else when it was last touched."""
        return self.ended_at or self.updated_at

    @property
    def began_at(self) -> datetime:
        """When it started, else when it was created (an attempt may end in the queue)."""
        return self.started_at or self.created_at

    @property
    def column_title(self) -> str | None:
        """Title of the column its card lies in; None when there is no such card or column."""
        return self.card.column_title if self.card else None

    @property
    def pr_url(self) -> str | None:
        """The pull request of its card."""
        return self.card.pr_url if self.card else None


class ScannedRow(NamedTuple):
    """What `triage` looks at of an attempt. It looks at hundreds, so they are cheap: their times are not made ours."""

    id: AttemptId
    project_id: BoardId
    card_id: CardId
    status: AttemptStatus
    #: In milliseconds since 1970; else as of an `AttemptRow`.
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
        """The attempt: ids are unique on their board only."""
        return self.project_id, self.attempt_id


@dataclass(frozen=True, slots=True)
class AgentRow:
    """A registered agent."""

    key: str
    label: str
