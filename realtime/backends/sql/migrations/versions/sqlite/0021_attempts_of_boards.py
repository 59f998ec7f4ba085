"""Rows under an attempt's id get the id of their board, and attempts are deleted with their cards.

The log shows to which board each row belongs. Each row came from one event, in the order of the log, and deletion and
pruning always removed the oldest. So the last row of an attempt's id belongs to the last event, and so on backwards.
Older rows belong to the board that has such an attempt, else to the board that first reported it, else to no board
(`""`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

#: Table → its event, and for single values also the column and its value.
_LISTS = {"logs": "attempt.log.appended", "conversation": "attempt.conversation.appended"}
_SINGLES = {
    "todos": ("attempt.todos.updated", "todos", "json_extract(payload, '$.todos')"),
    "sessions": ("attempt.session.recorded", "session_id", "json_extract(payload, '$.sessionId')"),
}
_INDICES = (
    ("logs_by_attempt", "logs", "attempt_id", "sequence"),
    ("conversation_by_attempt", "conversation", "attempt_id", "sequence"),
)
_ATTEMPT, _BOARD = "json_extract(payload, '$.attemptId')", "json_extract(payload, '$.boardId')"


def upgrade() -> None:
    """Give the rows their boards, and delete the attempts of cards that were deleted according to the log."""
    _make_gone_attempts()
    _make_homes()
    for table, event in _LISTS.items():
        op.add_column(table, sa.Column("board_id", sa.Text(), nullable=False, server_default=""))
        _find_boards(table, event)
    for name, table, *columns in _INDICES:
        op.drop_index(name, table)
        op.create_index(name, table, ["board_id", *columns])
    op.drop_index("logs_by_level", "logs")
    op.create_index("logs_by_level", "logs", ["level", "board_id", "attempt_id"])
    for table, (event, column, value) in _SINGLES.items():
        _divide(table, event, column, value)
    op.execute("DROP TABLE attempt_homes")
    _delete_with_cards()


def _make_gone_attempts() -> None:
    op.create_table(
        "gone_attempts",
        sa.Column("board_id", sa.Text(), primary_key=True),
        sa.Column("attempt_id", sa.Text(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
    )
    op.create_index("gone_attempts_by_sequence", "gone_attempts", ["board_id", "sequence"])


def _make_homes() -> None:
    """Record for each attempt's id the board that gets the rows without an event."""
    op.execute("CREATE TEMP TABLE attempt_homes (attempt_id TEXT PRIMARY KEY, board_id TEXT NOT NULL)")
    op.execute(
        "INSERT INTO attempt_homes SELECT id, board_id FROM attempts WHERE true ORDER BY sequence"
        " ON CONFLICT DO NOTHING"
    )
    names = ", ".join(f"'{name}'" for name in (*_LISTS.values(), *(event for event, *_ in _SINGLES.values())))
    op.execute(
        f"INSERT INTO attempt_homes SELECT {_ATTEMPT}, {_BOARD} FROM events WHERE name IN ({names}) ORDER BY sequence"
        " ON CONFLICT DO NOTHING"
    )


def _find_boards(table: str, event: str) -> None:
    backwards = "row_number() OVER (PARTITION BY attempt_id ORDER BY sequence DESC)"
    op.execute(
        f"UPDATE {table} SET board_id = found.board_id FROM ("
        f" SELECT rows.sequence, coalesce(reported.board_id, home.board_id) AS board_id"
        f" FROM (SELECT sequence, attempt_id, {backwards} AS n FROM {table}) AS rows"
        f" LEFT JOIN (SELECT board_id, attempt_id, {backwards} AS n FROM ("
        f"  SELECT sequence, {_ATTEMPT} AS attempt_id, {_BOARD} AS board_id FROM events WHERE name = '{event}'"
        f" )) AS reported ON reported.attempt_id = rows.attempt_id AND reported.n = rows.n"
        f" LEFT JOIN attempt_homes AS home ON home.attempt_id = rows.attempt_id"
        f") AS found WHERE found.sequence = {table}.sequence AND found.board_id NOTNULL"
    )


def _divide(table: str, event: str, column: str, value: str) -> None:
    """Split the one row of all boards into a row for each board, with the last value that the board reported."""
    op.rename_table(table, f"{table}_of_all")
    op.create_table(
        table,
        sa.Column("board_id", sa.Text(), primary_key=True),
        sa.Column("attempt_id", sa.Text(), primary_key=True),
        sa.Column(column, sa.Text(), nullable=False),
    )
    # Only events after the last deletion of the board count.
    reported = (
        f"SELECT max(sequence), {_BOARD} AS board_id, {_ATTEMPT} AS attempt_id, {value} AS kept FROM events"
        f" WHERE name = '{event}' AND {_BOARD} IN (SELECT id FROM projects) AND sequence > coalesce(("
        "  SELECT max(gone.sequence) FROM events AS gone"
        "  WHERE gone.channel = events.channel AND gone.name = 'project.deleted'), 0)"
        " GROUP BY 2, 3"
    )
    op.execute(
        f"INSERT INTO {table} SELECT board_id, attempt_id, kept FROM ({reported})"
        f" WHERE attempt_id IN (SELECT attempt_id FROM {table}_of_all)"
    )
    op.execute(
        f"INSERT INTO {table} SELECT coalesce(home.board_id, ''), one.attempt_id, one.{column}"
        f" FROM {table}_of_all AS one LEFT JOIN attempt_homes AS home ON home.attempt_id = one.attempt_id"
        f" WHERE one.attempt_id NOT IN (SELECT attempt_id FROM {table})"
    )
    op.drop_table(f"{table}_of_all")


def _delete_with_cards() -> None:
    deleted = (
        "SELECT json_extract(events.payload, '$.boardId') AS board_id,"
        " json_extract(change.value, '$.card_id') AS card_id, max(events.at) AS at"
        " FROM events, json_each(events.changes) AS change"
        " WHERE events.name = 'board.state.changed' AND json_extract(change.value, '$.type') = 'card_deleted'"
        " GROUP BY 1, 2"
    )
    on_board = "EXISTS (SELECT 1 FROM cards WHERE cards.board_id = attempts.board_id AND cards.id = attempts.card_id)"
    op.execute(
        "INSERT INTO gone_attempts SELECT attempts.board_id, attempts.id, attempts.sequence FROM attempts"
        f" JOIN ({deleted}) AS deleted USING (board_id, card_id)"
        f" WHERE attempts.created_at <= deleted.at AND NOT {on_board}"
    )
    gone = "SELECT board_id, attempt_id FROM gone_attempts"
    for table in (*_LISTS, *_SINGLES):
        op.execute(f"DELETE FROM {table} WHERE (board_id, attempt_id) IN ({gone})")
    op.execute(f"DELETE FROM attempts WHERE (board_id, id) IN ({gone})")
