"""The overview: figures of a window in, everything the dashboard shows out.

Rules and limits are those of the recordings in `dashboard-overview.json`; times are real (docs/departures.md, row 6).
The range does not affect active attempts and open cards. A completed attempt is in the range by its end, everything
else by its creation. The store counts and selects the rows (`figures`); `realtime.views.dashboard_feed` decides when to
compute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypedDict

from realtime.caches import bounded_cache
from realtime.dashboard.agents import agent_stats
from realtime.dashboard.buckets import Bucket, card_counts
from realtime.dashboard.figures import AGENTS, Counts, DashboardFigures
from realtime.dashboard.health import project_health, ratio
from realtime.dashboard.inbox import build_inbox
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
from realtime.dashboard.rows import AttemptRow, ProjectRow
from realtime.dashboard.time_range import Window
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus

__all__ = ["DashboardOverview", "build_overview"]

#: Most entries of an overview are the same as in the one before, and making one takes ten times as long as a lookup.
_cached = bounded_cache(1024, max_chars=4096, chars=AttemptRow.chars)
_CardCounts = Mapping[BoardId | None, Counter[Bucket]]


class _Names(TypedDict):
    """The fields that all entries of attempts share."""

    attempt_id: AttemptId
    project_id: BoardId | None
    project_name: str | None
    card_id: CardId
    card_title: str | None
    ticket_key: str | None
    agent_id: str
    status: AttemptStatus


def build_overview(figures: DashboardFigures, window: Window, now: datetime) -> DashboardOverview:
    """Return the overview of the `figures` of `window` at `now` (aware); equal arguments give equal overviews."""
    counts = figures.by_agent.values()
    in_range, active = sum(each.in_range for each in counts), sum(each.active for each in counts)
    success_rate = ratio(sum(each.succeeded for each in counts), in_range)
    cards = card_counts(figures.cards)
    inbox = build_inbox(figures.findings, figures.logs)
    metrics = DashboardMetrics(
        by_key=_series(figures, active, cards, window),
        active_attempts=active,
        attempts_in_range=in_range,
        success_rate_in_range=success_rate,
        review_items_count=len(inbox.review),
        projects_with_activity=figures.projects_in_range,
    )
    return DashboardOverview(
        time_range=_time_range(window),
        generated_at=now,
        updated_at=now,
        metrics=metrics,
        active_attempts=tuple(map(_active, figures.active)),
        recent_attempt_activity=tuple(map(_completed, figures.completed)),
        project_snapshots=tuple(_snapshot(project, figures, cards) for project in figures.projects),
        inbox_items=inbox,
        agent_stats=agent_stats(figures.agents, figures.by_agent),
        agents_omitted=max(0, len(figures.agents) - AGENTS) or None,
        attempts_in_range=in_range,
        success_rate_in_range=success_rate,
        projects_with_activity_in_range=figures.projects_in_range,
    )


def _time_range(window: Window) -> DashboardTimeRange:
    return DashboardTimeRange(
        preset=window.preset, from_=window.from_text, to=window.to_text, start=window.start, end=window.end
    )


def _series(figures: DashboardFigures, active: int, cards: _CardCounts, window: Window) -> dict[str, MetricSeries]:
    totals = {
        "projects.total": ("Projects", figures.project_count),
        "attempts.active": ("Active Attempts", active),
        "attempts.completed": ("Attempts Completed", figures.completed_count),
        "cards.open": ("Open Cards", sum(_open(counts) for counts in cards.values())),
    }
    return {
        key: MetricSeries(label=label, points=_points(total, window), total=total)
        for key, (label, total) in totals.items()
    }


def _points(value: int, window: Window) -> tuple[MetricPoint, ...]:
    """Return one point for the whole window; none if the window has no lower bound."""
    if window.start is None or window.from_text is None or window.seconds is None:
        return ()
    return (
        MetricPoint(timestamp=window.from_text, value=value, bucket_size_seconds=window.seconds, start=window.start),
    )


def _open(counts: Counter[Bucket]) -> int:
    return counts.total() - counts[Bucket.DONE]


@_cached
def _active(attempt: AttemptRow) -> ActiveAttempt:
    return ActiveAttempt(**_names(attempt), started_at=attempt.started_at, updated_at=attempt.updated_at)


@_cached
def _completed(attempt: AttemptRow) -> AttemptActivity:
    return AttemptActivity(
        **_names(attempt), occurred_at=attempt.finished_at, duration_seconds=_duration_seconds(attempt)
    )


def _duration_seconds(attempt: AttemptRow) -> int | None:
    seconds = (attempt.finished_at - attempt.began_at) // timedelta(seconds=1)
    return seconds if seconds >= 0 else None


def _names(attempt: AttemptRow) -> _Names:
    card = attempt.card
    return _Names(
        attempt_id=attempt.id,
        project_id=None if attempt.project_name is None else attempt.project_id,
        project_name=attempt.project_name,
        card_id=attempt.card_id,
        card_title=card.title if card else None,
        ticket_key=card.ticket_key if card else None,
        agent_id=attempt.agent,
        status=attempt.status,
    )


def _snapshot(project: ProjectRow, figures: DashboardFigures, cards_by_project: _CardCounts) -> ProjectSnapshot:
    attempts = figures.by_project.get(project.id) or Counts()
    cards = cards_by_project.get(project.id) or Counter()
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
