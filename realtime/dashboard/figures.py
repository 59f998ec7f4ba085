"""The input of an overview: counts over all rows, and the few rows that it shows.

A store returns these figures for one window and one moment. It counts where the rows are, so a hundred thousand
attempts neither leave the database nor block the event loop. `overview` makes the overview from them.
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

#: Most entries of each list.
ACTIVE_ATTEMPTS = 200
RECENT_ATTEMPTS = 40
PROJECTS = 6
AGENTS = 200
#: Most characters of an agent's name in an overview; a registered name may be as long as a request.
NAME_CHARACTERS = 500


@dataclass(slots=True)
class Counts:
    """Counts of the attempts of one project or one agent."""

    #: Attempts that have not ended, at any time of creation.
    active: int = 0
    #: Attempts created in the window, and of these the successes and the failures.
    in_range: int = 0
    succeeded: int = 0
    failed: int = 0
    #: Creation time of the latest attempt: of all attempts, and of those in the window.
    last_created: datetime | None = None
    last_in_range: datetime | None = None


@dataclass(frozen=True, slots=True)
class DashboardFigures:
    """The figures of one window at one moment. Attempts with equal times are in the order of creation."""

    #: Number of all projects, and the newest of them; projects with equal times are in the order of creation.
    project_count: int = 0
    projects: Sequence[ProjectRow] = ()
    #: Cards by project and title; a pair may occur more than once. Cards whose column is missing are in no entry.
    cards: Sequence[ColumnCards] = ()
    #: All registered agents, in the order of registration, with shortened names.
    agents: Sequence[AgentRow] = ()
    #: Counts for every agent with attempts, registered or not. They cover all attempts, so they add up to the totals.
    by_agent: Mapping[str, Counts] = field(default_factory=dict)
    #: Counts at least for those of `projects` that have attempts.
    by_project: Mapping[BoardId, Counts] = field(default_factory=dict)
    #: Number of projects, known or not, with an attempt that was created in the window.
    projects_in_range: int = 0
    #: Number of attempts that ended in the window, and the last of them.
    completed_count: int = 0
    completed: Sequence[AttemptRow] = ()
    #: The attempts that have not ended, at any time of creation: those with the latest changes.
    active: Sequence[AttemptRow] = ()
    #: Findings of `triage` among the attempts of the window, as of its end.
    findings: Sequence[Finding[AttemptRow]] = ()
    #: Log lines of failed and stopped attempts among `findings`: the last line of level error of each, or its last line
    #: if it has no error. Further lines do no harm. Lines with equal times are in the order of their arrival.
    logs: Sequence[AttemptLogRow] = ()
