"""Lines of logs and items of conversations get the offset of their event; ids of lines are computed of it.

Each row came from one event, in the order of the log, and deletion and pruning always removed the oldest. So the last
row of an attempt belongs to its last event, and so on backwards. The events of the remaining rows, the oldest, were
pruned. These rows are numbered from 1, which stays below the offsets in the log, because each had an event of its own.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

#: Table → its event.
_EVENTS = {"logs": "attempt.log.appended", "conversation": "attempt.conversation.appended"}
#: Table → its columns behind the offset.
_CONTENT = {
    "logs": (
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
    ),
    "conversation": (sa.Column("item", sa.Text(), nullable=False),),
}


def upgrade() -> None:
    """Write both tables anew, with their indices."""
    for table, event in _EVENTS.items():
        op.drop_index(f"{table}_by_attempt", table)
        op.rename_table(table, f"{table}_without_offsets")
        op.create_table(
            table,
            sa.Column("sequence", sa.Integer(), primary_key=True, autoincrement=True),
            sa.Column("board_id", sa.Text(), nullable=False),
            sa.Column("attempt_id", sa.Text(), nullable=False),
            sa.Column("offset", sa.BigInteger(), nullable=False),
            *_CONTENT[table],
        )
        _copy(table, event, ", ".join(column.name for column in _CONTENT[table]))
        op.drop_table(f"{table}_without_offsets")
        op.create_index(f"{table}_by_attempt", table, ["board_id", "attempt_id", "offset"])
    op.create_index("logs_by_level", "logs", ["level", "board_id", "attempt_id"])


def _copy(table: str, event: str, content: str) -> None:
    of_attempt = "PARTITION BY board_id, attempt_id ORDER BY"
    op.execute(
        f'INSERT INTO {table} (sequence, board_id, attempt_id, "offset", {content})'
        f' SELECT sequence, board_id, attempt_id, coalesce(reported."offset", numbered.from_first), {content}'
        f" FROM {table}_without_offsets JOIN (SELECT sequence, row_number() OVER ({of_attempt} sequence) AS from_first,"
        f"  row_number() OVER ({of_attempt} sequence DESC) AS from_last FROM {table}_without_offsets"
        " ) AS numbered USING (sequence)"
        f' LEFT JOIN (SELECT *, row_number() OVER ({of_attempt} "offset" DESC) AS from_last FROM ('
        "  SELECT \"offset\", json_extract(payload, '$.boardId') AS board_id,"
        f"  json_extract(payload, '$.attemptId') AS attempt_id FROM events WHERE name = '{event}'"
        " )) AS reported USING (board_id, attempt_id, from_last) ORDER BY sequence"
    )
