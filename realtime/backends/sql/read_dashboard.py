"""Rows → the figures of the dashboard, counted by the database and in its thread.

What comes here are some hundred rows, made into ours a slice at a time: the event loop is never held for long.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncConnection

from realtime.backends.sql import dashboard_statements as statements
from realtime.dashboard.figures import Counts, DashboardFigures
from realtime.dashboard.rows import AgentRow, AttemptLogRow, AttemptRow, CardRow, ColumnCards, ProjectRow
from realtime.dashboard.time_range import Window
from realtime.dashboard.triage import Finding, triage
from realtime.kanban.models import AttemptStatus

__all__ = ["load_dashboard_figures"]

#: Rows that are made before others get their turn on the event loop: less than a millisecond's work.
SLICE_ROWS = 100
#: By name; a look into a dictionary is quicker than the enumeration.
_STATUSES = {str(status): status for status in AttemptStatus}
#: Stands for no lower bound.
_EVER = datetime.min.replace(tzinfo=UTC)

_Bounds = dict[str, datetime]


async def load_dashboard_figures(connection: AsyncConnection, window: Window) -> DashboardFigures:
    """Return the figures of a window, as of one moment."""
    bounds = {"start": window.start or _EVER, "end": window.end}
    totals = (await connection.execute(statements.TOTALS, bounds)).one()
    findings = triage(await _attempts(connection, statements.SCANNED_LIST, bounds), window.end)
    return DashboardFigures(
        project_count=totals.projects,
        projects=[
            ProjectRow(row.id, row.name, row.repository_path, row.created_at, row.repository_slug)
            for row in await connection.execute(statements.NEWEST_PROJECTS)
        ],
        cards=[ColumnCards(*row) for row in await connection.execute(statements.CARDS)],
        agents=[AgentRow(row.key, row.label or row.key) for row in await connection.execute(statements.AGENTS)],
        by_agent=await _counts(connection, statements.COUNTS_BY_AGENT, bounds),
        by_project=await _counts(connection, statements.COUNTS_BY_PROJECT, bounds),
        projects_in_range=totals.projects_in_range,
        completed_count=totals.completed,
        completed=await _attempts(connection, statements.COMPLETED_LIST, bounds),
        active=await _attempts(connection, statements.ACTIVE_LIST, bounds),
        findings=findings,
        logs=await _last_lines(connection, findings),
    )


async def _counts(connection: AsyncConnection, statement: Any, bounds: _Bounds) -> dict[Any, Counts]:
    found: dict[Any, Counts] = defaultdict(Counts)
    for row in await connection.execute(statement, bounds):
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


async def _attempts(connection: AsyncConnection, query: Select[Any], bounds: _Bounds) -> list[AttemptRow]:
    found: list[AttemptRow] = []
    for rows in (await connection.execute(query, bounds)).partitions(SLICE_ROWS):
        found += map(_attempt, rows)
        await asyncio.sleep(0)
    return found


def _attempt(row: Any) -> AttemptRow:
    id, board_id, card_id, agent, status, *times, sequence, project, title, ticket_key, pr_url, column = row
    created, updated, started, ended = times
    card = None if title is None else CardRow(title, ticket_key, pr_url, column)
    return AttemptRow(
        id, board_id, card_id, agent, _STATUSES[status], created, updated, started, ended, sequence, project, card
    )


async def _last_lines(connection: AsyncConnection, findings: Collection[Finding]) -> list[AttemptLogRow]:
    failed = {finding.attempt.id for finding in findings if finding.kind == "failed"}
    found: list[AttemptLogRow] = []
    for query in (statements.LAST_ERRORS, statements.LAST_LINES):
        # Who told an error needs no other line, and to find the last of all lines takes longer.
        silent = failed - {line.attempt_id for line in found}
        if silent:
            found += [AttemptLogRow(*row) for row in await connection.execute(query, {"ids": list(silent)})]
    return found
