"""Which attempts need a person: successes to review, failures that nothing has saved, attempts that hang.

The attempts of a card are looked at from the newest to the oldest, because what came later decides whether an
earlier one still matters. Making items of them is `inbox`'s.
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

#: So many of the newest attempts of a window are looked at, and so many findings kept.
SCANNED_ATTEMPTS = 500
FINDINGS = 25
#: An attempt hangs from this age on, in milliseconds: in the queue, and after its start.
STUCK_QUEUED = 10 * 60 * 1000
STUCK_RUNNING = 30 * 60 * 1000

# Looking up a member of an enumeration takes four times as long as a name of the module, 2,000 times an overview.
_QUEUED, _SUCCEEDED = AttemptStatus.QUEUED, AttemptStatus.SUCCEEDED
_FAILED, _STOPPED = AttemptStatus.FAILED, AttemptStatus.STOPPED

Kind = Literal["review", "failed", "stuck"]
_Attempt = TypeVar("_Attempt", AttemptRow, ScannedRow)


class Finding(NamedTuple, Generic[_Attempt]):
    """An attempt, and what is to be done about it."""

    kind: Kind
    attempt: _Attempt
    #: How long it has been queued or running, in whole seconds (0 for a review or a failure).
    age_seconds: int


@dataclass(slots=True)
class _Card:
    """What the attempts seen so far, all newer ones, say about a card."""

    in_done: bool
    has_pr: bool
    #: One of them succeeded; one of them succeeded and nothing was left to review.
    succeeded: bool = False
    resolved: bool = False
    #: One of them is in the inbox; one of them is there because it hangs.
    found: bool = False
    stuck: bool = False

    def judge(self, status: AttemptStatus, age: int) -> Kind | None:
        """Say what is to be done about the next older attempt, None for nothing."""
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
        # Unlike the others a hanging attempt counts also when a newer one was found, but once per card.
        if age < limit or self.stuck:
            return None
        self.stuck = True
        return "stuck"


def triage(attempts: Iterable[ScannedRow], as_of: int) -> list[Finding[ScannedRow]]:
    """Return what needs a person among `attempts`, newest created first; the latest change comes first.

    They are the newest `SCANNED_ATTEMPTS` of a window. Equal times are in the order of creation, here and in the
    answer. Ages are counted up to `as_of`, in milliseconds since 1970.
    """
    cards: dict[tuple[BoardId, CardId], _Card] = {}
    findings = []
    for attempt in attempts:
        key = (attempt.project_id, attempt.card_id)
        card = cards.get(key) or cards.setdefault(key, _Card(is_done(attempt.column_title), bool(attempt.pr_url)))
        age = as_of - attempt.began_at
        if kind := card.judge(attempt.status, age):
            findings.append(Finding(kind, attempt, age // 1000 if kind == "stuck" else 0))
    # A stable sort: equal times stay in the order of the scan.
    return sorted(findings, key=lambda finding: finding.attempt.finished_at, reverse=True)[:FINDINGS]
