"""Rows → boards and projects."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from realtime.backends.sql.tables import attempts, cards, channels, columns, dependencies, projects
from realtime.channels import EVERYBODY, Channel, board_channel
from realtime.kanban.board import Board
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import (
    AttemptRef,
    AttemptStatus,
    BoardState,
    Card,
    Column,
    GithubIssue,
    Project,
    TicketType,
)
from realtime.ports import StoredBoard

__all__ = ["load_board", "load_offset", "load_project", "load_projects"]


async def load_board(connection: AsyncConnection, board_id: BoardId) -> StoredBoard | None:
    """Return the board and the position its rows stand for, None when there is none."""
    row = (await connection.execute(select(projects).where(projects.c.id == board_id))).one_or_none()
    if row is None:
        return None
    board = Board(
        _project(row),
        await _load_state(connection, board_id),
        row.next_ticket_number,
        await _load_refs(connection, board_id),
    )
    offset = await load_offset(connection, board_channel(board_id))
    return StoredBoard(board, offset, await load_offset(connection, EVERYBODY))


async def load_project(connection: AsyncConnection, project_id: BoardId) -> Project | None:
    """Return a project, None when there is none."""
    row = (await connection.execute(select(projects).where(projects.c.id == project_id))).one_or_none()
    return None if row is None else _project(row)


async def load_projects(connection: AsyncConnection) -> list[Project]:
    """Return all projects, oldest first."""
    rows = await connection.execute(select(projects).order_by(projects.c.created_at, projects.c.sequence))
    return [_project(row) for row in rows]


async def load_offset(connection: AsyncConnection, channel: Channel) -> int:
    """Return the offset of a channel's last event, 0 before the first."""
    found = await connection.scalar(select(channels.c.offset).where(channels.c.channel == channel))
    return found or 0


async def _load_state(connection: AsyncConnection, board_id: BoardId) -> BoardState:
    needed: dict[str, list[CardId]] = defaultdict(list)
    query = select(*dependencies.c["card_id", "depends_on_id"]).where(dependencies.c.board_id == board_id)
    for card_id, other in await connection.execute(query.order_by(dependencies.c.position)):
        needed[card_id].append(other)
    rows = await connection.execute(select(cards).where(cards.c.board_id == board_id).order_by(cards.c.sequence))
    by_place: dict[str, list[tuple[int, CardId]]] = defaultdict(list)
    found: dict[CardId, Card] = {}
    for row in rows:
        by_place[row.column_id].append((row.position, row.id))
        found[row.id] = _card(row, tuple(needed.get(row.id, ())))
    rows = await connection.execute(select(columns).where(columns.c.board_id == board_id).order_by(columns.c.position))
    placed = {
        row.id: Column(ColumnId(row.id), row.title, tuple(card_id for _, card_id in sorted(by_place[row.id])))
        for row in rows
    }
    return BoardState(placed, found)


async def _load_refs(connection: AsyncConnection, board_id: BoardId) -> dict[AttemptId, AttemptRef]:
    query = select(*attempts.c["id", "card_id", "status", "created_at"]).where(attempts.c.board_id == board_id)
    rows = await connection.execute(query.order_by(attempts.c.sequence))
    return {row.id: AttemptRef(row.id, row.card_id, AttemptStatus(row.status), row.created_at) for row in rows}


def _project(row: Row[Any]) -> Project:
    return Project(
        id=BoardId(row.id),
        name=row.name,
        repository_path=row.repository_path,
        created_at=row.created_at,
        repository_url=row.repository_url,
        repository_slug=row.repository_slug,
        ticket_prefix=row.ticket_prefix,
        status=row.status,
    )


def _card(row: Row[Any], depends_on: tuple[CardId, ...]) -> Card:
    return Card(
        id=CardId(row.id),
        board_id=BoardId(row.board_id),
        column_id=ColumnId(row.column_id),
        title=row.title,
        created_at=row.created_at,
        updated_at=row.updated_at,
        ticket_key=row.ticket_key,
        pr_url=row.pr_url,
        disable_auto_close_on_pr_merge=row.disable_auto_close_on_pr_merge,
        ticket_type=TicketType(row.ticket_type) if row.ticket_type else None,
        is_enhanced=row.is_enhanced,
        github_issue=GithubIssue(row.issue_number, row.issue_url) if row.issue_number is not None else None,
        description=row.description,
        depends_on=depends_on,
    )
