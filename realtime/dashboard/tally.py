"""The attempts counted and sorted into piles, in one pass: there may be a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from realtime.dashboard.rows import AttemptRow
from realtime.dashboard.time_range import Window
from realtime.kanban.ids import BoardId
from realtime.kanban.models import AttemptStatus

__all__ = ["Counts", "Tally", "tally"]

_Key = TypeVar("_Key")


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

    def add(self, attempt: AttemptRow, *, active: bool, in_range: bool) -> None:
        """Count one attempt."""
        created = attempt.created_at
        self.active += active
        if self.last_created is None or created > self.last_created:
            self.last_created = created
        if not in_range:
            return
        self.in_range += 1
        self.succeeded += attempt.status is AttemptStatus.SUCCEEDED
        self.failed += attempt.status is AttemptStatus.FAILED
        if self.last_in_range is None or created > self.last_in_range:
            self.last_in_range = created


@dataclass(slots=True)
class Tally:
    """The counts, and the attempts the lists of an overview are picked from."""

    by_project: dict[BoardId, Counts] = field(default_factory=dict)
    by_agent: dict[str, Counts] = field(default_factory=dict)
    #: Not over yet, whenever created.
    active: list[AttemptRow] = field(default_factory=list)
    #: Ended in the window.
    completed: list[AttemptRow] = field(default_factory=list)
    #: Created in the window.
    created: list[AttemptRow] = field(default_factory=list)

    @property
    def succeeded(self) -> int:
        """How many of `created` succeeded."""
        return sum(counts.succeeded for counts in self.by_project.values())


def tally(attempts: Iterable[AttemptRow], window: Window) -> Tally:
    """Count `attempts` and pile them up; an attempt may lie on several piles, or on none."""
    result = Tally()
    for attempt in attempts:
        active = attempt.is_active
        in_range = attempt.created_at in window
        _of(attempt.project_id, result.by_project).add(attempt, active=active, in_range=in_range)
        _of(attempt.agent, result.by_agent).add(attempt, active=active, in_range=in_range)
        if active:
            result.active.append(attempt)
        elif attempt.ended_at in window:
            result.completed.append(attempt)
        if in_range:
            result.created.append(attempt)
    return result


def _of(key: _Key, counts: dict[_Key, Counts]) -> Counts:
    found = counts.get(key)
    if found is None:
        found = counts[key] = Counts()
    return found
