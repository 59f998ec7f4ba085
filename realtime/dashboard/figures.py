"""What an overview is made of: counts over all rows, and the few rows that it shows.

A store answers with them for one window and one moment. The counts are made where the rows are, so that a hundred
thousand attempts neither travel nor hold the event loop up.
What the figures mean for the reader is `overview`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from realtime.dashboard.rows import AgentRow, AttemptLogRow, AttemptRow, ColumnCards, ProjectRow
from realtime.dashboard.triage import Finding
from realtime.kanban.ids import BoardId

__all__ = [
    "ACTIVE_ATTEMPTS",
    "AGENTS",
    "NAME_CHARACTERS",
    "PROJECTS",
    "RECENT_ATTEMPTS",
    "Counts",
    "DashboardFigures",
]

#: Lengths of the lists.
ACTIVE_ATTEMPTS = 200
RECENT_ATTEMPTS = 40
PROJECTS = 6
AGENTS = 200
#: Most characters of a name that an overview shows; one of an agent may have as many as a request holds.
NAME_CHARACTERS = 500


@dataclass(slots=True)
class Counts:
    """Attempts of a project or of an agent."""

    #: Not over yet, whenever created.
    active: int = 0
    #: Created in the window; of these.
    in_range: int = 0
    succeeded: int = 0
    failed: int = 0
    #: When the latest was created: of all, and of those in the window.
    last_created: datetime | None = None
    last_in_range: datetime | None = None


@dataclass(frozen=True, slots=True)
class DashboardFigures:
    """The figures of one window at one moment. Equal times of attempts are in the order of creation."""

    #: All projects; the newest of them, equal times in the order of creation.
    project_count: int = 0
    projects: Sequence[ProjectRow] = ()
    #: A project and title may come more than once. Cards in columns that are not there are in none.
    cards: Sequence[ColumnCards] = ()
    #: All of them, in the order of registration, their names cut.
    agents: Sequence[AgentRow] = ()
    #: Of every agent that has attempts, registered or not: all attempts, so these add up to the totals.
    by_agent: Mapping[str, Counts] = field(default_factory=dict)
    #: Of `projects`, those that have attempts at least.
    by_project: Mapping[BoardId, Counts] = field(default_factory=dict)
    #: Projects, known or not, of which an attempt was created in the window.
    projects_in_range: int = 0
    #: Attempts that are over and ended in the window; the last to end.
    completed_count: int = 0
    completed: Sequence[AttemptRow] = ()
    #: The last to be touched of the attempts that are not over, whenever created.
    active: Sequence[AttemptRow] = ()
    #: What `triage` finds among the attempts of the window as of its end.
    findings: Sequence[Finding[AttemptRow]] = ()
    #: Lines of failed and stopped attempts among `findings`: of each the last line of level error, and the last line
    #: where it has none. Others do not matter. Equal times in the order in which they came.
    logs: Sequence[AttemptLogRow] = ()
