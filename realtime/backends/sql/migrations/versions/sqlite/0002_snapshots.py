"""Snapshots of boards, from which replay starts folding; cards in the log get the id of their board."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BATCH = 1000
_PREFIX = "board:"
_events = sa.table("events", sa.column("sequence"), sa.column("channel"), sa.column("changes"))


def upgrade() -> None:
    """Create the table. An existing board gets its first snapshot with a later event."""
    op.create_table(
        "snapshots",
        sa.Column("board_id", sa.Text(), primary_key=True),
        sa.Column("offset", sa.BigInteger(), primary_key=True),
        sa.Column("board", sa.Text(), nullable=False),
    )
    connection = op.get_bind()
    set_changes = (
        sa.update(_events).where(_events.c.sequence == sa.bindparam("place")).values(changes=sa.bindparam("stored"))
    )
    for rows in _batches(connection):
        connection.execute(
            set_changes,
            [{"place": row.sequence, "stored": _with_board(row.changes, row.channel)} for row in rows],
        )


def _batches(connection: sa.Connection) -> Iterator[list[sa.Row[Any]]]:
    after = -1
    while True:
        query = sa.select(_events).where(_events.c.changes.is_not(None), _events.c.sequence > after)
        rows = list(connection.execute(query.order_by(_events.c.sequence).limit(BATCH)))
        if not rows:
            return
        yield rows
        after = rows[-1].sequence


def _with_board(changes: str, channel: str) -> str:
    stored = orjson.loads(changes)
    for change in stored:
        for card in (*change.get("cards", ()), *filter(None, [change.get("card")])):
            card["board_id"] = channel.removeprefix(_PREFIX)
    return orjson.dumps(stored).decode()
