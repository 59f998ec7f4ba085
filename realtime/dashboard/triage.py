"""Triage: finds attempts that need a person. These are successes to review, unresolved failures, and stuck attempts.

The attempts of a card are examined from the newest to the oldest: a later attempt decides whether an earlier one
still matters. `inbox` makes inbox items of the findings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeVar

from realtime.dashboard.buckets import is_done
from realtime.dashboard.rows import AttemptRow, ScannedRow
from realtime.kanban.ids import BoardId, CardId
from realtime.kanban.models import AttemptStatus

__all__ = ["SCANNED_ATTEMPTS", "Finding", "Kind", "triage"]

#: Number of attempts that are examined, the newest of a window, and most findings that are returned.
SCANNED_ATTEMPTS = 500
FINDINGS = 25
#: Age in milliseconds from which an attempt counts as stuck: while it is queued, and after its start.
STUCK_QUEUED = 10 * 60 * 1000
STUCK_RUNNING = 30 * 60 * 1000

# A lookup of an enumeration's member takes four times as long as one of a module's name; each overview needs 2,000.
_QUEUED, _SUCCEEDED = AttemptStatus.QUEUED, AttemptStatus.SUCCEEDED
_FAILED, _STOPPED = AttemptStatus.FAILED, AttemptStatus.STOPPED

Kind = Literal["review", "failed", "stuck"]
_Attempt = TypeVar("_Attempt", AttemptRow, ScannedRow)


class Finding(NamedTuple, Generic[_Attempt]):
    """An attempt, and the reason why it needs a person."""

    kind: Kind
    attempt: _Attempt
    #: Whole seconds in which it has been queued or running; 0 for a review or a failure.
    age_seconds: int


@dataclass(slots=True)
class _Card:
    """The result of the attempts of one card that were examined so far, which are all newer than the next one."""

    in_done: bool
    has_pr: bool
    #: Whether an attempt succeeded, and whether one succeeded with nothing left to review.
    succeeded: bool = False
    resolved: bool = False
    #: Whether an attempt is among the findings, and whether one is there because it is stuck.
    found: bool = False
    stuck: bool = False

    def judge(self, status: AttemptStatus, age: int) -> Kind | None:
        """Examine the next older attempt; return its kind of finding, None if it needs nobody."""
        kind = self._kind(status, age)
        self.found = self.found or kind is not None
        return kind

    def _kind(self, status: AttemptStatus, age: int) -> Kind | None:
        if status is _SUCCEEDED:
            return self._review()
        if status is _FAILED or status is _STOPPED:
            return None if self.found or self.succeeded or self.in_done else "failed"
        return self._stuck(age, STUCK_QUEUED if status is _QUEUED else STUCK_RUNNING)

    def _review(self) -> Kind | None:
        self.succeeded = True
        self.resolved = self.resolved or (self.in_done and not self.has_pr)
        return None if self.found or self.resolved else "review"

    def _stuck(self, age: int, limit: int) -> Kind | None:
        # Unlike the other kinds, a stuck attempt is a finding even after a newer finding, but only one for each card.
        if age < limit or self.stuck:
            return None
        self.stuck = True
        return "stuck"


def triage(attempts: Iterable[ScannedRow], as_of: int) -> list[Finding[ScannedRow]]:
    """Return the findings among `attempts`; the one with the latest change comes first, at most `FINDINGS`.

    `attempts` are the newest `SCANNED_ATTEMPTS` of a window, newest first. Rows with equal times are in the order of
    creation, in `attempts` and in the result. Ages are counted up to `as_of`, in milliseconds since 1970.
    """
    cards: dict[tuple[BoardId, CardId], _Card] = {}
    findings = []
    for attempt in attempts:
        key = (attempt.project_id, attempt.card_id)
        card = cards.get(key) or cards.setdefault(key, _Card(is_done(attempt.column_title), bool(attempt.pr_url)))
        age = as_of - attempt.began_at
        if kind := card.judge(attempt.status, age):
            findings.append(Finding(kind, attempt, age // 1000 if kind == "stuck" else 0))
    # The sort is stable: rows with equal times stay in the order of `attempts`.
    return sorted(findings, key=lambda finding: finding.attempt.finished_at, reverse=True)[:FINDINGS]
