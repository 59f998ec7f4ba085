"""Rows → attempts."""

from __future__ import annotations

from sqlalchemy import ColumnElement, desc, select
from sqlalchemy.ext.asyncio import AsyncConnection

from realtime.backends.sql.tables import attempts, sessions
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus
from realtime.ports import Attempt

__all__ = ["load_attempts"]


async def load_attempts(connection: AsyncConnection, which: ColumnElement[bool]) -> list[Attempt]:
    """Return the attempts that fit, newest created first; the later event's first of two made at one time."""
    query = select(attempts, sessions.c.session_id).outerjoin(sessions, sessions.c.attempt_id == attempts.c.id)
    query = query.where(which).order_by(desc(attempts.c.created_at), desc(attempts.c.sequence))
    return [
        Attempt(
            id=AttemptId(row.id),
            board_id=BoardId(row.board_id),
            card_id=CardId(row.card_id),
            agent=row.agent,
            status=AttemptStatus(row.status),
            created_at=row.created_at,
            updated_at=row.updated_at,
            base_branch=row.base_branch,
            branch_name=row.branch_name,
            worktree_path=row.worktree_path,
            session_id=row.session_id,
            started_at=row.started_at,
            ended_at=row.ended_at,
        )
        for row in await connection.execute(query)
    ]
