"""The overview: rows, a time range and `now` in, everything the dashboard shows out.

Rules and limits are those of the recordings in `dashboard-overview.json`, times are real (contract §8, row 6).
Active attempts and open cards do not care about the range; completed ones are in it by their end, all else by
creation. Reading the rows is a store's; when to compute is `realtime.dashboard_feed`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from heapq import nlargest
from typing import TypedDict

from realtime.dashboard.agents import agent_stats
from realtime.dashboard.buckets import Bucket, card_counts
from realtime.dashboard.health import project_health, ratio
from realtime.dashboard.inbox import build_inbox
from realtime.dashboard.lookup import Lookup
from realtime.dashboard.model import (
    ActiveAttempt,
    AttemptActivity,
    ColumnCardCounts,
    DashboardMetrics,
    DashboardOverview,
    DashboardTimeRange,
    MetricPoint,
    MetricSeries,
    ProjectSnapshot,
)
from realtime.dashboard.rows import AttemptRow, DashboardRows, ProjectRow
from realtime.dashboard.tally import Counts, Tally, tally
from realtime.dashboard.time_range import TimeRange, Window
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus

__all__ = ["DashboardOverview", "build_overview"]

#: Lengths of the lists.
ACTIVE_ATTEMPTS = 200
RECENT_ATTEMPTS = 40
PROJECTS = 6

_CardCounts = Mapping[BoardId, Counter[Bucket]]


class _Names(TypedDict):
    """The fields that entries for attempts share."""

    attempt_id: AttemptId
    project_id: BoardId | None
    project_name: str | None
    card_id: CardId
    card_title: str | None
    ticket_key: str | None
    agent_id: str
    status: AttemptStatus


def build_overview(rows: DashboardRows, time_range: TimeRange, now: datetime) -> DashboardOverview:
    """Return the overview of `rows` at `now` (aware) for `time_range`; the same input gives the same overview."""
    window = time_range.window(now)
    lookup = Lookup.of(rows)
    found = tally(rows.attempts, window)
    cards = card_counts(rows)
    inbox = build_inbox(found.created, rows.logs, lookup, window.end)
    active_projects = sum(counts.in_range > 0 for counts in found.by_project.values())
    metrics = DashboardMetrics(
        by_key=_series(rows, found, cards, window),
        active_attempts=len(found.active),
        attempts_in_range=len(found.created),
        success_rate_in_range=ratio(found.succeeded, len(found.created)),
        review_items_count=len(inbox.review),
        projects_with_activity=active_projects,
    )
    return DashboardOverview(
        time_range=_time_range(window),
        generated_at=now,
        updated_at=now,
        metrics=metrics,
        active_attempts=_active(found.active, lookup),
        recent_attempt_activity=_recent(found.completed, lookup),
        project_snapshots=_snapshots(rows.projects, found, cards),
        inbox_items=inbox,
        agent_stats=agent_stats(rows.agents, found.by_agent),
        attempts_in_range=metrics.attempts_in_range,
        success_rate_in_range=metrics.success_rate_in_range,
        projects_with_activity_in_range=active_projects,
    )


def _time_range(window: Window) -> DashboardTimeRange:
    return DashboardTimeRange(
        preset=window.preset, from_=window.from_text, to=window.to_text, start=window.start, end=window.end
    )


def _series(rows: DashboardRows, found: Tally, cards: _CardCounts, window: Window) -> dict[str, MetricSeries]:
    totals = {
        "projects.total": ("Projects", len(rows.projects)),
        "attempts.active": ("Active Attempts", len(found.active)),
        "attempts.completed": ("Attempts Completed", len(found.completed)),
        "cards.open": ("Open Cards", sum(_open(counts) for counts in cards.values())),
    }
    return {
        key: MetricSeries(label=label, points=_points(total, window), total=total)
        for key, (label, total) in totals.items()
    }


def _points(value: int, window: Window) -> tuple[MetricPoint, ...]:
    """Return one point that stands for the whole window, none when it has no beginning."""
    if window.start is None or window.from_text is None or window.seconds is None:
        return ()
    return (
        MetricPoint(timestamp=window.from_text, value=value, bucket_size_seconds=window.seconds, start=window.start),
    )


def _open(counts: Counter[Bucket]) -> int:
    return counts.total() - counts[Bucket.DONE]


def _active(attempts: Iterable[AttemptRow], lookup: Lookup) -> tuple[ActiveAttempt, ...]:
    """Return the attempts that were touched last; equal times in the order of creation."""
    newest = nlargest(ACTIVE_ATTEMPTS, attempts, key=lambda attempt: _rank(attempt.updated_at, attempt))
    return tuple(
        ActiveAttempt(**_names(attempt, lookup), started_at=attempt.started_at, updated_at=attempt.updated_at)
        for attempt in newest
    )


def _recent(attempts: Iterable[AttemptRow], lookup: Lookup) -> tuple[AttemptActivity, ...]:
    """Return the attempts that ended last; equal times in the order of creation."""
    newest = nlargest(RECENT_ATTEMPTS, attempts, key=lambda attempt: _rank(attempt.finished_at, attempt))
    return tuple(
        AttemptActivity(
            **_names(attempt, lookup), occurred_at=attempt.finished_at, duration_seconds=_duration_seconds(attempt)
        )
        for attempt in newest
    )


def _rank(at: datetime, attempt: AttemptRow) -> tuple[datetime, int]:
    return at, -attempt.sequence


def _duration_seconds(attempt: AttemptRow) -> int | None:
    seconds = (attempt.finished_at - attempt.began_at) // timedelta(seconds=1)
    return seconds if seconds >= 0 else None


def _names(attempt: AttemptRow, lookup: Lookup) -> _Names:
    card = lookup.card(attempt)
    return _Names(
        attempt_id=attempt.id,
        project_id=attempt.project_id if attempt.project_id in lookup.projects else None,
        project_name=lookup.project_name(attempt),
        card_id=attempt.card_id,
        card_title=card.title if card else None,
        ticket_key=card.ticket_key if card else None,
        agent_id=attempt.agent,
        status=attempt.status,
    )


def _snapshots(projects: Iterable[ProjectRow], found: Tally, cards: _CardCounts) -> tuple[ProjectSnapshot, ...]:
    """Return the newest projects; equal times in the order of the rows."""
    newest = sorted(projects, key=lambda project: project.created_at, reverse=True)[:PROJECTS]
    return tuple(
        _snapshot(project, found.by_project.get(project.id) or Counts(), cards.get(project.id) or Counter())
        for project in newest
    )


def _snapshot(project: ProjectRow, attempts: Counts, cards: Counter[Bucket]) -> ProjectSnapshot:
    health = project_health(_open(cards), attempts.active, attempts.in_range, attempts.failed)
    return ProjectSnapshot(
        project_id=project.id,
        id=project.id,
        name=project.name,
        repository_slug=project.repository_slug,
        repository_path=project.repository_path,
        created_at=project.created_at,
        active_attempts=attempts.active,
        active_attempts_count=attempts.active,
        open_cards=_open(cards),
        total_cards=cards.total(),
        column_card_counts=ColumnCardCounts(
            backlog=cards[Bucket.BACKLOG],
            in_progress=cards[Bucket.IN_PROGRESS],
            review=cards[Bucket.REVIEW],
            done=cards[Bucket.DONE],
        ),
        attempts_in_range=attempts.in_range,
        failed_attempts_in_range=attempts.failed,
        failure_rate_in_range=health.failure_rate_in_range,
        health=health,
    )
