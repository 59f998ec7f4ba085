"""The inbox: the findings of `triage`, with names and reasons.

The reason of a failed attempt is one line of its log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TypedDict

from realtime.dashboard.buckets import is_done
from realtime.dashboard.model import FailedItem, Inbox, InboxMeta, ReviewItem, StuckItem
from realtime.dashboard.rows import AttemptLogRow, AttemptRow
from realtime.dashboard.text import shortened, squeezed, trimmed
from realtime.dashboard.triage import Finding, Kind
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus

__all__ = ["NO_SUMMARY", "build_inbox", "error_summaries", "error_summary"]

#: Summary of an attempt without a usable line in its log.
NO_SUMMARY = "Attempt failed – see logs for details"
#: Summary of a line without a message.
EMPTY_MESSAGE = "Attempt failed"
#: Most UTF-16 code units of a summary.
SUMMARY_UNITS = 200

#: Key of an attempt with its project, because two projects may use one attempt id.
_Key = tuple[BoardId, AttemptId]


class _Common(TypedDict):
    """The fields that all kinds of items share."""

    id: AttemptId
    attempt_id: AttemptId
    project_id: BoardId
    project_name: str | None
    card_id: CardId
    card_title: str
    ticket_key: str | None
    agent_id: str
    agent_name: str
    status: AttemptStatus
    card_status: str | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    last_updated_at: datetime
    pr_url: str | None


def build_inbox(findings: Sequence[Finding[AttemptRow]], logs: Iterable[AttemptLogRow]) -> Inbox:
    """Return the inbox for `findings`; `logs` has the last log lines of the failed attempts."""
    failed = _of_kind("failed", findings)
    summaries = error_summaries({finding.attempt.key for finding in failed}, logs)
    review = tuple(_review(finding.attempt) for finding in _of_kind("review", findings))
    stuck = tuple(
        StuckItem(**_common(finding.attempt), stuck_for_seconds=finding.age_seconds)
        for finding in _of_kind("stuck", findings)
    )
    return Inbox(
        review=review,
        failed=tuple(
            FailedItem(**_common(finding.attempt), error_summary=summaries[finding.attempt.key]) for finding in failed
        ),
        stuck=stuck,
        meta=_meta(len(review), len(failed), len(stuck)),
    )


def error_summaries(attempts: Collection[_Key], logs: Iterable[AttemptLogRow]) -> dict[_Key, str]:
    """Return a summary for each of `attempts`, in one pass over the lines of all logs."""
    found: dict[_Key, list[AttemptLogRow]] = {attempt: [] for attempt in attempts}
    for line in logs:
        if line.key in found:
            found[line.key].append(line)
    return {attempt: error_summary(lines) for attempt, lines in found.items()}


def error_summary(lines: Iterable[AttemptLogRow]) -> str:
    """Return the latest line of level error (in any case), else the latest line; trimmed, at most 200 characters."""
    newest_first = sorted(lines, key=lambda line: line.at)[::-1]
    if not newest_first:
        return NO_SUMMARY
    line = next((line for line in newest_first if line.level.lower() == "error"), newest_first[0])
    return shortened(squeezed(line.message or EMPTY_MESSAGE) or NO_SUMMARY, SUMMARY_UNITS)


def _of_kind(kind: Kind, findings: Sequence[Finding[AttemptRow]]) -> list[Finding[AttemptRow]]:
    return [finding for finding in findings if finding.kind == kind]


def _meta(review: int, failed: int, stuck: int) -> InboxMeta | None:
    total = review + failed + stuck
    return InboxMeta(total_items=total, total_review=review, total_failed=failed, total_stuck=stuck) if total else None


def _review(attempt: AttemptRow) -> ReviewItem:
    common = _common(attempt)
    reasons = [
        *(["PR is still open or pending review"] if common["pr_url"] else []),
        *([] if is_done(common["card_status"]) else ["card is not in a Done column"]),
    ]
    return ReviewItem(**common, reason="; ".join(reasons))


def _common(attempt: AttemptRow) -> _Common:
    card = attempt.card
    return _Common(
        id=attempt.id,
        attempt_id=attempt.id,
        project_id=attempt.project_id,
        project_name=attempt.project_name,
        card_id=attempt.card_id,
        card_title=trimmed(card.title if card else "") or f"Card {attempt.card_id}",
        ticket_key=card.ticket_key if card else None,
        agent_id=attempt.agent,
        agent_name=attempt.agent,
        status=attempt.status,
        card_status=attempt.column_title,
        created_at=attempt.created_at,
        updated_at=attempt.finished_at,
        finished_at=None if attempt.is_active else attempt.ended_at,
        last_updated_at=attempt.finished_at,
        pr_url=attempt.pr_url,
    )
