"""Rows → the figures of the dashboard, which the database counts in its thread.

The results are some hundred rows. They are converted in that thread, too, so the event loop is never blocked for long.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from itertools import starmap
from typing import Any

from sqlalchemy import Connection, Select

from realtime.backends.sql.reading import dashboard_statements as statements
from realtime.backends.sql.tables import COUNTED_MILLISECONDS, instant, milliseconds
from realtime.caches import bounded_cache
from realtime.dashboard.figures import Counts, DashboardFigures
from realtime.dashboard.rows import AgentRow, AttemptLogRow, AttemptRow, CardRow, ColumnCards, ProjectRow, ScannedRow
from realtime.dashboard.time_range import Window
from realtime.dashboard.triage import Finding, triage
from realtime.kanban.models import AttemptStatus

__all__ = ["load_dashboard_figures"]

#: Statuses by name; a lookup in a dictionary is faster than one in the enumeration.
_STATUSES = {str(status): status for status in AttemptStatus}
#: The lower bound of a window without one.
_EVER = datetime.min.replace(tzinfo=UTC)

_Bounds = dict[str, int]


def load_dashboard_figures(connection: Connection, window: Window) -> DashboardFigures:
    """Return the figures of a window at one moment."""
    bounds = _bounds(window)
    totals = connection.execute(statements.TOTALS, bounds).one()
    findings = _findings(connection, bounds)
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


def _bounds(window: Window) -> _Bounds:
    end = milliseconds(window.end)
    # A window whose end is before its start is as empty as one of length 0, which the statements can count.
    start = min(milliseconds(window.start or _EVER), end)
    return {"start": start, "end": end, "first": _span_from(start), "last": _span_from(end)}


def _span_from(time: int) -> int:
    """Return the beginning of the first span that begins at `time` or later."""
    return -(-time // COUNTED_MILLISECONDS) * COUNTED_MILLISECONDS


def _counts(connection: Connection, statement: Select[Any], bounds: _Bounds) -> dict[Any, Counts]:
    return {key: Counts(*counts) for key, *counts in connection.execute(statement, bounds)}


def _findings(connection: Connection, bounds: _Bounds) -> list[Finding[AttemptRow]]:
    found = triage(map(_scanned, connection.execute(statements.SCANNED_LIST, bounds).all()), bounds["end"])
    # An attempt id is unique only within its board.
    ids = {"ids": [finding.attempt.id for finding in found]}
    named = {(row.project_id, row.id): row for row in _attempts(connection, statements.NAMED_LIST, ids)}
    return [
        Finding(finding.kind, named[finding.attempt.project_id, finding.attempt.id], finding.age_seconds)
        for finding in found
    ]


def _scanned(row: Any) -> ScannedRow:
    id, board_id, card_id, status, *rest = row
    return ScannedRow(id, board_id, card_id, _STATUSES[status], *rest)


def _attempts(connection: Connection, query: Select[Any], parameters: Mapping[str, Any]) -> list[AttemptRow]:
    return [_attempt(tuple(row)) for row in connection.execute(query, parameters).all()]


def _chars(row: tuple[Any, ...]) -> int:
    return sum(len(value) for value in row if type(value) is str)


# Most rows of an overview were in the overview before.
@bounded_cache(1024, max_chars=4096, chars=_chars)
def _attempt(row: tuple[Any, ...]) -> AttemptRow:
    id, board_id, card_id, agent, status, *rest = row
    created, updated, started, ended, sequence, project, title, ticket_key, pr_url, column = rest
    return AttemptRow(
        *(id, board_id, card_id, agent, _STATUSES[status], instant(created), instant(updated)),
        started_at=None if started is None else instant(started),
        ended_at=None if ended is None else instant(ended),
        sequence=sequence,
        project_name=project,
        card=None if title is None else CardRow(title, ticket_key, pr_url, column),
    )


def _last_lines(connection: Connection, findings: Collection[Finding[AttemptRow]]) -> list[AttemptLogRow]:
    failed = {one.attempt.key for one in findings if one.kind == "failed"}
    found: list[AttemptLogRow] = []
    for query in (statements.LAST_ERRORS, statements.LAST_LINES):
        # An attempt with an error line needs no other line, and finding the last of all its lines takes longer.
        silent = failed - {line.key for line in found}
        if silent:
            # An attempt id is unique only within its board.
            rows = connection.execute(query, {"ids": list({id for _, id in silent})})
            found += [line for line in starmap(AttemptLogRow, rows) if line.key in silent]
    return found
