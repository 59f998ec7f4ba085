"""Rows → the input of the dashboard."""

from __future__ import annotations

from typing import Any

from sqlalchemy import desc, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from realtime.backends.sql.tables import agents, attempts, cards, columns, logs, projects
from realtime.dashboard.rows import (
    AgentRow,
    AttemptLogRow,
    AttemptRow,
    CardRow,
    ColumnRow,
    DashboardRows,
    ProjectRow,
)
from realtime.kanban.models import AttemptStatus

__all__ = ["load_dashboard_rows"]

_ENDED_BADLY = (AttemptStatus.FAILED.value, AttemptStatus.STOPPED.value)


async def load_dashboard_rows(connection: AsyncConnection) -> DashboardRows:
    """Return the rows of all projects, as of one moment."""
    return DashboardRows(
        projects=[
            ProjectRow(row.id, row.name, row.repository_path, row.created_at, row.repository_slug)
            for row in await connection.execute(select(projects).order_by(projects.c.created_at, projects.c.sequence))
        ],
        columns=[
            ColumnRow(row.id, row.board_id, row.title)
            for row in await connection.execute(select(columns).order_by(columns.c.board_id, columns.c.position))
        ],
        cards=[
            CardRow(row.id, row.board_id, row.column_id, row.title, row.ticket_key, row.pr_url)
            for row in await connection.execute(
                select(*cards.c["id", "board_id", "column_id", "title", "ticket_key", "pr_url"])
            )
        ],
        attempts=await _attempts(connection),
        logs=[*await _last_lines(connection), *await _last_lines(connection, logs.c.level == "error")],
        agents=[
            AgentRow(row.key, row.label or row.key)
            for row in await connection.execute(select(agents).order_by(agents.c.sequence))
        ],
    )


async def _attempts(connection: AsyncConnection) -> list[AttemptRow]:
    return [
        AttemptRow(
            id=row.id,
            project_id=row.board_id,
            card_id=row.card_id,
            agent=row.agent,
            status=AttemptStatus(row.status),
            created_at=row.created_at,
            updated_at=row.updated_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            sequence=row.sequence,
        )
        for row in await connection.execute(select(attempts).order_by(attempts.c.sequence))
    ]


async def _last_lines(connection: AsyncConnection, *where: Any) -> list[AttemptLogRow]:
    """Return the last line that fits of each attempt that ended badly; no others are shown anywhere."""
    bad = select(attempts.c.id).where(attempts.c.status.in_(_ENDED_BADLY))
    newest = func.row_number().over(partition_by=logs.c.attempt_id, order_by=(desc(logs.c.ts), desc(logs.c.sequence)))
    ranked = select(logs, newest.label("age")).where(logs.c.attempt_id.in_(bad), *where).subquery()
    rows = await connection.execute(select(ranked).where(ranked.c.age == 1))
    return [AttemptLogRow(row.attempt_id, row.ts, row.level, row.message) for row in rows]
