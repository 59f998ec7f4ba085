"""Rows → whole boards, by one statement that is compiled once.

Each row of the result is one board, and the rows of each table come as one JSON text (`gathered` says why).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Column as TableColumn
from sqlalchemy import ColumnElement, Connection, ScalarSelect, bindparam, literal_column, select

from realtime.backends.sql.column_order import read_order
from realtime.backends.sql.gathered import JsonRow, JsonRows
from realtime.backends.sql.prepared import PreparedList
from realtime.backends.sql.reading.read_cards import CARD, card_of
from realtime.backends.sql.reading.read_projects import PROJECT, project_of
from realtime.backends.sql.tables import (
    attempts,
    cards,
    channels,
    columns,
    dependencies,
    gone_attempts,
    instant,
    projects,
)
from realtime.kanban.board import Board
from realtime.kanban.cards import Cards
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import AttemptRef, AttemptStatus, BoardState, Column
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.ports import StoredBoard

__all__ = ["load_board", "load_boards"]


def load_board(connection: Connection, board_id: BoardId) -> StoredBoard | None:
    """Return the board and the position of its rows, None if it does not exist."""
    return load_boards(connection, [board_id]).get(board_id)


def load_boards(connection: Connection, board_ids: Collection[BoardId]) -> dict[BoardId, StoredBoard]:
    """Return those of the boards that exist."""
    return {
        BoardId(board_id): _board(BoardId(board_id), *row) for board_id, *row in _BOARDS.rows(connection, board_ids)
    }


def _offset_of(channel: ColumnElement[str]) -> ScalarSelect[Any]:
    return select(channels.c.offset).where(channels.c.channel == channel).scalar_subquery()


def _gathered(board: TableColumn[Any], *of_row: TableColumn[Any]) -> ScalarSelect[Any]:
    """Return the rows of a board in one text; they come in any order."""
    return select(JsonRows(*of_row)).where(board == projects.c.id).scalar_subquery()


# In the order of the arguments of `_board`. Rows are sorted by their first column.
_BOARDS = PreparedList(
    select(
        projects.c.id,
        JsonRow(*PROJECT),
        projects.c.next_ticket_number,
        _gathered(columns.c.board_id, *columns.c["position", "id", "title", "card_ids", "renewed"]),
        _gathered(cards.c.board_id, *CARD),
        _gathered(dependencies.c.board_id, *dependencies.c["position", "card_id", "depends_on_id"]),
        _gathered(
            attempts.c.board_id,
            *attempts.c["sequence", "id", "card_id", "status", "created_at", "updated_at", "ended_at"],
        ),
        _gathered(gone_attempts.c.board_id, *gone_attempts.c["sequence", "attempt_id"]),
        _offset_of(literal_column(f"'{board_channel(BoardId(''))}'") + projects.c.id),
        _offset_of(literal_column(f"'{EVERYBODY}'")),
    ).where(projects.c.id.in_(bindparam("boards", expanding=True))),
    "boards",
)


def _board(board_id: BoardId, project: str, next_ticket: int, *others: Any) -> StoredBoard:
    *of_state, refs, gone, offset, global_offset = others
    made = {AttemptId(id): _ref(id, *row) for _, id, *row in _rows(refs)}
    ended = dict.fromkeys(AttemptId(id) for _, id in _rows(gone))
    board = Board(project_of(*orjson.loads(project)), _state(board_id, *of_state), next_ticket, made, ended)
    return StoredBoard(board, offset or 0, global_offset or 0)


def _state(board_id: BoardId, columns: str, cards: str, dependencies: str) -> BoardState:
    needed: defaultdict[tuple[str, str], list[CardId]] = defaultdict(list)
    for _, card_id, depends_on in _rows(dependencies):
        needed[board_id, card_id].append(depends_on)
    found = {row[1]: card_of(board_id, row, needed) for row in _rows(cards)}
    made: dict[ColumnId, Column] = {}
    times: dict[CardId, datetime] = {}
    for _, column_id, title, card_ids, renewed in _rows(columns):
        listed_ids, displaced = read_order(card_ids, renewed)
        # The ids of the card objects themselves, so that each id is in memory once.
        made[column_id] = Column(column_id, title, tuple(found[card_id].id for card_id in listed_ids))
        times |= displaced
    return BoardState(made, Cards(found, times))


def _ref(id: str, card_id: str, status: str, created_at: int, *others: int | None) -> AttemptRef:
    times = (None if at is None else instant(at) for at in others)
    return AttemptRef(AttemptId(id), CardId(card_id), AttemptStatus(status), instant(created_at), *times)


def _rows(text: str) -> list[list[Any]]:
    return sorted(orjson.loads(text))
