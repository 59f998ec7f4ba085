"""Rows → attempts."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, desc, exists, literal, select, union_all

from realtime.backends.sql.tables import attempts, logs, projects, sessions
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus
from realtime.ports import Attempt, CardKey

__all__ = ["load_attempts", "load_attempts_of_cards", "load_boards_of_attempt"]


_session_of = (sessions.c.board_id == attempts.c.board_id) & (sessions.c.attempt_id == attempts.c.id)


def load_attempts(connection: Connection, which: ColumnElement[bool]) -> list[Attempt]:
    """Return the matching attempts, newest first; of two with the same creation time, the later event's comes first."""
    query = select(attempts, sessions.c.session_id).outerjoin(sessions, _session_of)
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
        for row in connection.execute(query)
    ]


def load_attempts_of_cards(connection: Connection, keys: Collection[CardKey]) -> dict[CardKey, list[Attempt]]:
    """Return the attempts at each card, newest first."""
    boards, card_ids = {board_id for board_id, _ in keys}, {card_id for _, card_id in keys}
    wanted = set(keys)
    found: dict[CardKey, list[Attempt]] = {}
    # The query may find more than the keys, as two boards may use one card id. So the pairs are compared.
    for attempt in load_attempts(connection, attempts.c.board_id.in_(boards) & attempts.c.card_id.in_(card_ids)):
        if (key := (attempt.board_id, attempt.card_id)) in wanted:
            found.setdefault(key, []).append(attempt)
    return found


def load_boards_of_attempt(
    connection: Connection, attempt_id: AttemptId, among: Collection[BoardId] | None
) -> dict[BoardId, bool]:
    """Return those of some boards with rows under an attempt's id, and for each whether it knows the attempt.

    None = of all boards.
    """
    knowing = select(attempts.c.board_id).where(attempts.c.id == attempt_id)
    # Lines without a board may exist, too.
    boards = union_all(select(projects.c.id), select(literal(""))).subquery()
    if among is not None:
        knowing = knowing.where(attempts.c.board_id.in_(among))
        boards = select(projects.c.id).where(projects.c.id.in_(among)).subquery()
    found = dict.fromkeys(map(BoardId, connection.scalars(knowing)), True)
    # Board by board, because the index of logs begins with the board.
    has_log = exists().where(logs.c.board_id == boards.c.id, logs.c.attempt_id == attempt_id)
    for board_id in connection.scalars(select(boards.c.id).where(has_log)):
        found.setdefault(BoardId(board_id), False)
    return found
