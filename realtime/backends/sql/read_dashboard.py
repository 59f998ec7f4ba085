"""Rows → the figures of the dashboard, counted by the database and in its thread.

What comes here are some hundred rows, made into ours in that thread too: the event loop is never held for long.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select

from realtime.backends.sql import dashboard_statements as statements
from realtime.dashboard.figures import Counts, DashboardFigures
from realtime.dashboard.rows import AgentRow, AttemptLogRow, AttemptRow, CardRow, ColumnCards, ProjectRow
from realtime.dashboard.time_range import Window
from realtime.dashboard.triage import Finding, triage
from realtime.kanban.models import AttemptStatus

__all__ = ["load_dashboard_figures"]

#: By name; a look into a dictionary is quicker than the enumeration.
_STATUSES = {str(status): status for status in AttemptStatus}
#: Stands for no lower bound.
_EVER = datetime.min.replace(tzinfo=UTC)

_Bounds = dict[str, datetime]


def load_dashboard_figures(connection: Connection, window: Window) -> DashboardFigures:
    """Return the figures of a window, as of one moment."""
    bounds = {"start": window.start or _EVER, "end": window.end}
    totals = connection.execute(statements.TOTALS, bounds).one()
    findings = triage(_attempts(connection, statements.SCANNED_LIST, bounds), window.end)
    return DashboardFigures(
        project_count=totals.projects,
        projects=[
            ProjectRow(row.id, row.name, row.repository_path, row.created_at, row.repository_slug)
            for row in connection.execute(statements.NEWEST_PROJECTS)
        ],
        cards=[ColumnCards(*row) for row in connection.execute(statements.CARDS)],
        agents=[AgentRow(row.key, row.label or row.key) for row in connection.execute(statements.AGENTS)],
        by_agent=_counts(connection, statements.COUNTS_BY_AGENT, bounds),
        by_project=_counts(connection, statements.COUNTS_BY_PROJECT, bounds),
        projects_in_range=totals.projects_in_range,
        completed_count=totals.completed,
        completed=_attempts(connection, statements.COMPLETED_LIST, bounds),
        active=_attempts(connection, statements.ACTIVE_LIST, bounds),
        findings=findings,
        logs=_last_lines(connection, findings),
    )


def _counts(connection: Connection, statement: Any, bounds: _Bounds) -> dict[Any, Counts]:
    found: dict[Any, Counts] = defaultdict(Counts)
    for row in connection.execute(statement, bounds):
        counts = found[row.key]
        counts.active += row.active
        counts.in_range += row.in_range
        counts.succeeded += row.in_range if row.status == AttemptStatus.SUCCEEDED else 0
        counts.failed += row.in_range if row.status == AttemptStatus.FAILED else 0
        counts.last_created = _later(counts.last_created, row.last_created)
        counts.last_in_range = _later(counts.last_in_range, row.last_in_range)
    return found


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


def _attempts(connection: Connection, query: Select[Any], bounds: _Bounds) -> list[AttemptRow]:
    return [_attempt(row) for row in connection.execute(query, bounds)]


def _attempt(row: Any) -> AttemptRow:
    id, board_id, card_id, agent, status, *times, sequence, project, title, ticket_key, pr_url, column = row
    created, updated, started, ended = times
    card = None if title is None else CardRow(title, ticket_key, pr_url, column)
    return AttemptRow(
        id, board_id, card_id, agent, _STATUSES[status], created, updated, started, ended, sequence, project, card
    )


def _last_lines(connection: Connection, findings: Collection[Finding]) -> list[AttemptLogRow]:
    failed = {finding.attempt.id for finding in findings if finding.kind == "failed"}
    found: list[AttemptLogRow] = []
    for query in (statements.LAST_ERRORS, statements.LAST_LINES):
        # Who told an error needs no other line, and to find the last of all lines takes longer.
        silent = failed - {line.attempt_id for line in found}
        if silent:
            found += [AttemptLogRow(*row) for row in connection.execute(query, {"ids": list(silent)})]
    return found
