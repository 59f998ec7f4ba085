"""Applies changes of cards to the rows of columns: read, change, write."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, literal_column, select, update

from realtime.backends.sql.column_order import ColumnOrder, OrderChange, carry_out
from realtime.backends.sql.prepared import Prepared
from realtime.backends.sql.tables import columns
from realtime.kanban.changes import CardCreated, CardMoved, CardUpdated
from realtime.kanban.ids import BoardId, ColumnId

__all__ = ["ColumnMoves"]

_this = (columns.c.board_id == bindparam("board"), columns.c.id == bindparam("column"))
_lists = select(*columns.c["id", "card_ids", "renewed"]).where(*_this)
_read = Prepared(_lists, "board", "column")
_read_with_times = Prepared(_lists.where(columns.c.renewed != literal_column("'[]'")), "board", "column")
_write = Prepared(
    update(columns).where(*_this).values(card_ids=bindparam("card_ids"), renewed=bindparam("renewed")),
    *("renewed", "card_ids", "board", "column"),
)


class ColumnMoves:
    """A statement of a write unit that applies changes to columns, in order; its parameters are boards and changes."""

    def run(self, connection: Connection, several: Sequence[tuple[BoardId, OrderChange]]) -> None:
        """Apply the changes, one after the other."""
        for board_id, change in several:
            self._carry_out(connection, board_id, change)

    def _carry_out(self, connection: Connection, board_id: BoardId, change: OrderChange) -> None:
        # A new `updated_at` goes to the card's own row. Only a column with a time for its cards has to drop that time.
        read = _read_with_times if isinstance(change, CardUpdated) else _read
        rows = [row for column_id in _touched(change) for row in read.rows(connection, board_id, column_id)]
        orders = {ColumnId(column_id): ColumnOrder.read(*texts) for column_id, *texts in rows}
        if orders:
            carry_out(change, orders)
            for column_id, column in orders.items():
                card_ids, renewed = column.written()
                _write.run(connection, renewed, card_ids, board_id, column_id)


def _touched(change: OrderChange) -> set[ColumnId]:
    if isinstance(change, CardMoved):
        return {change.from_column_id, change.to_column_id}
    return {change.card.column_id if isinstance(change, CardCreated | CardUpdated) else change.column_id}
