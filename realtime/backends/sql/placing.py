"""Carrying out changes on the rows of columns: read, change, write."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update

from realtime.backends.sql.places import Placed, Places, carry_out
from realtime.backends.sql.tables import columns
from realtime.kanban.changes import CardCreated, CardMoved, CardUpdated
from realtime.kanban.ids import BoardId, ColumnId

__all__ = ["Placing"]

_here = (columns.c.board_id == bindparam("board")) & columns.c.id.in_(bindparam("ids", expanding=True))
_lists = select(*columns.c["id", "renewed", "card_ids"]).where(_here)
_lists_with_times = _lists.where(columns.c.renewed != "[]")
_write = (
    update(columns)
    .where(columns.c.board_id == bindparam("board"), columns.c.id == bindparam("column"))
    .values(card_ids=bindparam("card_ids"), renewed=bindparam("renewed"))
)


class Placing:
    """Runs among the statements of a unit of writing, in their order, with boards and changes for parameters."""

    def run(self, connection: Connection, several: Sequence[tuple[BoardId, Placed]]) -> None:
        """Carry out changes, one after the other."""
        for board_id, change in several:
            self._carry_out(connection, board_id, change)

    def _carry_out(self, connection: Connection, board_id: BoardId, change: Placed) -> None:
        # A new time of a card is in its own row; only a column that says otherwise has to hear of it.
        query = _lists_with_times if isinstance(change, CardUpdated) else _lists
        rows = connection.execute(query, {"board": board_id, "ids": _touched(change)})
        found = {ColumnId(row.id): Places.read(row.card_ids, row.renewed) for row in rows}
        if found:
            carry_out(change, found)
            connection.execute(
                _write, [{"board": board_id, "column": id, **places.written()} for id, places in found.items()]
            )


def _touched(change: Placed) -> list[ColumnId]:
    if isinstance(change, CardMoved):
        return list({change.from_column_id, change.to_column_id})
    return [change.card.column_id if isinstance(change, CardCreated | CardUpdated) else change.column_id]
