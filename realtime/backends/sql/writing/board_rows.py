"""Writes the rows that a board has as a whole: its columns, with the order of their cards, and its ticket counter.

They are written once for each unit, from the board after it. So nothing in the store applies a change to an order of
cards: `kanban.changes.apply` is the only code that does (docs/decisions/0044-a-change-is-folded-by-one-function.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import assert_never

from sqlalchemy import Connection, bindparam, insert, literal_column, select, update

from realtime.backends.sql.column_order import written_order
from realtime.backends.sql.prepared import Insertion, Prepared, PreparedList
from realtime.backends.sql.tables import columns, projects
from realtime.kanban.board import Board, Recorded
from realtime.kanban.cards import Cards
from realtime.kanban.changes import BoardChange, CardCreated, CardDeleted, CardMoved, CardUpdated, StateReplaced
from realtime.kanban.events import ProjectDeleted
from realtime.kanban.ids import BoardId, ColumnId

__all__ = ["write_boards"]

_this = (columns.c.board_id == bindparam("board"), columns.c.id == bindparam("column"))
_add = Insertion(insert(columns), *columns.c.keys())
_with_times = PreparedList(
    select(*columns.c["board_id", "id"]).where(
        columns.c.board_id.in_(bindparam("boards", expanding=True)), columns.c.renewed != literal_column("'[]'")
    ),
    "boards",
)
_set = Prepared(
    update(columns).where(*_this).values(card_ids=bindparam("card_ids"), renewed=bindparam("renewed")),
    *("renewed", "card_ids", "board", "column"),
)
_set_ticket = Prepared(
    update(projects).where(projects.c.id == bindparam("board")).values(next_ticket_number=bindparam("number")),
    *("number", "board"),
)


@dataclass(slots=True)
class _Touched:
    """The rows of one board that a unit has changed."""

    #: Columns in which cards came, left or moved.
    orders: set[ColumnId] = field(default_factory=set)
    #: Columns with a card that has a new time in its own row.
    times: set[ColumnId] = field(default_factory=set)
    #: All columns are new; their old rows are deleted already.
    is_replaced: bool = False
    has_tickets: bool = False

    def add(self, change: BoardChange) -> None:
        """Note the rows that `change` touches."""
        match change:
            case CardCreated(card=card):
                self.orders.add(card.column_id)
                self.has_tickets = True
            case CardUpdated(card=card):
                self.times.add(card.column_id)
            case CardMoved(from_column_id=source, to_column_id=target):
                self.orders |= {source, target}
            case CardDeleted(column_id=column_id):
                self.orders.add(column_id)
            case StateReplaced():
                self.is_replaced = self.has_tickets = True
            case _:
                assert_never(change)


def write_boards(connection: Connection, unit: Iterable[Recorded], boards: Mapping[BoardId, Board]) -> None:
    """Write the rows of the boards that `unit` has changed, after all its other rows.

    `boards` has these boards as they are after the unit, without deleted ones.
    """
    found = _touched(unit)
    outdated = _outdated(connection, found)
    for board_id, touched in found.items():
        board = boards[board_id]
        _write_columns(connection, board, touched, outdated)
        if touched.has_tickets:
            _set_ticket.run(connection, board.next_ticket_number, board_id)


def _touched(unit: Iterable[Recorded]) -> dict[BoardId, _Touched]:
    found: dict[BoardId, _Touched] = {}
    for event, _, made in unit:
        if type(event) is ProjectDeleted:
            found.pop(BoardId(event.project_id), None)
        elif made and event.board_id is not None:
            touched = found.setdefault(event.board_id, _Touched())
            for change in made:
                touched.add(change)
    return found


def _outdated(connection: Connection, found: Mapping[BoardId, _Touched]) -> set[tuple[BoardId, ColumnId]]:
    """Return the columns with times among those that have a card with a new time in its own row. Most have none."""
    renewed = [board_id for board_id, touched in found.items() if touched.times - touched.orders]
    return {(BoardId(board_id), ColumnId(id)) for board_id, id in _with_times.rows(connection, renewed)}


def _write_columns(
    connection: Connection, board: Board, touched: _Touched, outdated: Set[tuple[BoardId, ColumnId]]
) -> None:
    state, times = board.state, Cards.of(board.state.cards).times
    if touched.is_replaced:
        rows = []
        for n, column in enumerate(state.columns.values()):
            card_ids, renewed = written_order(column.card_ids, times)
            rows.append((board.id, column.id, column.title, n, renewed, card_ids))
        _add.run(connection, rows)
        return
    # A column must drop the time of a card that has a new one in its own row.
    of_times = (id for id in touched.times - touched.orders if (board.id, id) in outdated)
    for column_id in (*touched.orders, *of_times):
        card_ids, renewed = written_order(state.columns[column_id].card_ids, times)
        _set.run(connection, renewed, card_ids, board.id, column_id)
