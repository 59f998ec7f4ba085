"""The dashboard's figures, counted from lists of all rows: the expected results of a store's statements.

Overviews were computed in this way before the database counted. The recorded overviews compare it with the original.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from realtime.backends.sql.tables import milliseconds
from realtime.dashboard.figures import ACTIVE_ATTEMPTS, PROJECTS, RECENT_ATTEMPTS, Counts, DashboardFigures
from realtime.dashboard.model import DashboardOverview
from realtime.dashboard.overview import build_overview
from realtime.dashboard.rows import AgentRow, AttemptLogRow, AttemptRow, CardRow, ColumnCards, ProjectRow, ScannedRow
from realtime.dashboard.time_range import TimeRange, Window
from realtime.dashboard.triage import SCANNED_ATTEMPTS, Finding, triage
from realtime.kanban.ids import BoardId, CardId, ColumnId

__all__ = ["CardOnBoard", "ColumnOfBoard", "Tables", "figures_of", "overview_of"]


@dataclass(frozen=True)
class ColumnOfBoard:
    """A row of the table of columns."""

    id: ColumnId
    project_id: BoardId
    title: str


@dataclass(frozen=True)
class CardOnBoard:
    """A row of the table of cards."""

    id: CardId
    project_id: BoardId
    column_id: ColumnId
    title: str
    ticket_key: str | None = None
    pr_url: str | None = None


@dataclass(frozen=True)
class Tables:
    """All rows, in order of creation. Attempts may have any order, because they have a sequence number."""

    projects: Sequence[ProjectRow] = ()
    columns: Sequence[ColumnOfBoard] = ()
    cards: Sequence[CardOnBoard] = ()
    attempts: Sequence[AttemptRow] = ()
    logs: Sequence[AttemptLogRow] = ()
    agents: Sequence[AgentRow] = ()


def overview_of(tables: Tables, time_range: TimeRange, now: datetime) -> DashboardOverview:
    """Return the overview of `tables` at `now`."""
    window = time_range.window(now)
    return build_overview(figures_of(tables, window), window, now)


def figures_of(tables: Tables, window: Window) -> DashboardFigures:
    """Count `tables` for a window."""
    attempts = _named(tables)
    created = [row for row in attempts if row.created_at in window]
    completed = [row for row in attempts if not row.is_active and row.ended_at in window]
    scanned = _latest(created, [row.created_at for row in created])[:SCANNED_ATTEMPTS]
    active = [row for row in attempts if row.is_active]
    return DashboardFigures(
        project_count=len(tables.projects),
        projects=sorted(tables.projects, key=lambda project: project.created_at, reverse=True)[:PROJECTS],
        cards=_cards(tables),
        agents=tables.agents,
        by_agent=_counts_by("agent", attempts, window),
        by_project=_counts_by("project_id", attempts, window),
        projects_in_range=len({row.project_id for row in created}),
        completed_count=len(completed),
        completed=_latest(completed, [row.finished_at for row in completed])[:RECENT_ATTEMPTS],
        active=_latest(active, [row.updated_at for row in active])[:ACTIVE_ATTEMPTS],
        findings=_findings(scanned, window.end),
        logs=tables.logs,
    )


def _named(tables: Tables) -> list[AttemptRow]:
    """Return the attempts with their project and card, by sequence."""
    projects = {project.id: project.name for project in tables.projects}
    titles = {(column.project_id, column.id): column.title for column in tables.columns}
    cards = {
        (card.project_id, card.id): CardRow(
            card.title, card.ticket_key, card.pr_url, titles.get((card.project_id, card.column_id))
        )
        for card in tables.cards
    }
    return [
        replace(row, project_name=projects.get(row.project_id), card=cards.get((row.project_id, row.card_id)))
        for row in sorted(tables.attempts, key=lambda row: row.sequence)
    ]


def _latest(attempts: Sequence[AttemptRow], times: Sequence[datetime]) -> list[AttemptRow]:
    """Return the attempts by their times, latest first. Attempts of equal times stay in order of sequence."""
    return [row for _, row in sorted(zip(times, attempts, strict=True), key=lambda pair: pair[0], reverse=True)]


def _findings(attempts: Sequence[AttemptRow], as_of: datetime) -> list[Finding[AttemptRow]]:
    places = {(row.project_id, row.id): row for row in attempts}
    found = triage(map(_scanned, attempts), milliseconds(as_of))
    return [Finding(kind, places[row.project_id, row.id], age) for kind, row, age in found]


def _scanned(row: AttemptRow) -> ScannedRow:
    began, finished = milliseconds(row.began_at), milliseconds(row.finished_at)
    return ScannedRow(row.id, row.project_id, row.card_id, row.status, began, finished, row.column_title, row.pr_url)


def _counts_by(field: str, attempts: Sequence[AttemptRow], window: Window) -> dict[Any, Counts]:
    groups: dict[Any, list[AttemptRow]] = {}
    for row in attempts:
        groups.setdefault(getattr(row, field), []).append(row)
    return {key: _counts(rows, window) for key, rows in groups.items()}


def _counts(attempts: Sequence[AttemptRow], window: Window) -> Counts:
    created = [row for row in attempts if row.created_at in window]
    return Counts(
        active=sum(row.is_active for row in attempts),
        in_range=len(created),
        succeeded=sum(row.status == "succeeded" for row in created),
        failed=sum(row.status == "failed" for row in created),
        last_created=max((row.created_at for row in attempts), default=None),
        last_in_range=max((row.created_at for row in created), default=None),
    )


def _cards(tables: Tables) -> list[ColumnCards]:
    titles = {(column.project_id, column.id): column.title for column in tables.columns}
    places = [(card.project_id, card.column_id) for card in tables.cards]
    return [ColumnCards(place[0], titles[place], 1) for place in places if place in titles]
