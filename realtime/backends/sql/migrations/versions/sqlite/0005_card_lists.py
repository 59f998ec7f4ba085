"""The order of a column's cards moves into the column's row, and replaces the position in each card's row."""

from __future__ import annotations

from itertools import groupby

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEY = ("board_id", "column_id")
_columns = sa.table("columns", *map(sa.column, ("board_id", "id", "card_ids")))
_cards = sa.table("cards", *map(sa.column, (*_KEY, "id", "position")))


def upgrade() -> None:
    """Write the lists; each card's own row has its time."""
    for name in ("renewed", "card_ids"):
        op.add_column("columns", sa.Column(name, sa.Text(), nullable=False, server_default="[]"))
    _fill(op.get_bind())
    op.drop_index("cards_by_place", "cards")
    op.drop_column("cards", "position")
    op.create_index("cards_by_column", "cards", [*_KEY])


def _fill(connection: sa.Connection) -> None:
    in_order = sa.select(_cards).order_by(*_cards.c[(*_KEY, "position")])
    this = (_columns.c.board_id == sa.bindparam("board"), _columns.c.id == sa.bindparam("column"))
    write = sa.update(_columns).where(*this).values(card_ids=sa.bindparam("listed"))
    lists = [
        {"board": board_id, "column": column_id, "listed": orjson.dumps([row.id for row in rows]).decode()}
        for (board_id, column_id), rows in groupby(connection.execute(in_order), key=lambda row: row[:2])
    ]
    if lists:
        connection.execute(write, lists)
