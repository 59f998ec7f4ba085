"""The rows an overview is made of: only the fields it needs, in the form in which a store can hand them over.

Reading them is the store's. All times are aware. The order of `projects`, `agents` and `logs` (among equal times)
is the order in which they came to be; attempts carry theirs as `sequence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import ACTIVE_STATUSES, AttemptStatus

__all__ = ["AgentRow", "AttemptLogRow", "AttemptRow", "CardRow", "ColumnRow", "DashboardRows", "ProjectRow"]

# A tuple, for it finds a member by identity; a set would call the enumeration's hash for each of 100,000 rows.
_ACTIVE = tuple(ACTIVE_STATUSES)


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project, that is, a board."""

    id: BoardId
    name: str
    repository_path: str
    created_at: datetime
    repository_slug: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column; its title says what its cards count as."""

    id: ColumnId
    project_id: BoardId
    title: str


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card. Ids of columns and cards come from clients too: they are unique on their board only."""

    id: CardId
    project_id: BoardId
    column_id: ColumnId
    title: str
    ticket_key: str | None = None
    pr_url: str | None = None


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

    @property
    def is_active(self) -> bool:
        """Whether it is not over yet."""
        return self.status in _ACTIVE

    @property
    def finished_at(self) -> datetime:
        """When it ended, else when it was last touched."""
        return self.ended_at or self.updated_at

    @property
    def began_at(self) -> datetime:
        """When it started, else when it was created (an attempt may end in the queue)."""
        return self.started_at or self.created_at


@dataclass(frozen=True, slots=True)
class AttemptLogRow:
    """One line of an attempt's log."""

    attempt_id: AttemptId
    at: datetime
    level: str
    message: str


@dataclass(frozen=True, slots=True)
class AgentRow:
    """A registered agent."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class DashboardRows:
    """The rows of all projects at one moment.

    Of `logs` only those of failed and stopped attempts are looked at, and of these only the last line and the last
    line of level error: a store may leave out the others.
    """

    projects: Sequence[ProjectRow] = ()
    columns: Sequence[ColumnRow] = ()
    cards: Sequence[CardRow] = ()
    attempts: Sequence[AttemptRow] = ()
    logs: Sequence[AttemptLogRow] = ()
    agents: Sequence[AgentRow] = ()
