"""Counts of attempts by span of time, kept by triggers: whatever changes an attempt, they change with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

#: Six hours, in milliseconds.
_SPAN = 21_600_000
_ACTIVE = "('queued', 'running', 'stopping')"
_COUNTS = ("attempts", "active", "succeeded", "failed")


def upgrade() -> None:
    """Make the table and its triggers, and count what is there."""
    op.create_table(
        "attempt_counts",
        sa.Column("kind", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("since", sa.BigInteger(), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _COUNTS),
        if_not_exists=True,
        sqlite_with_rowid=False,
    )
    for name, *columns in (
        ("attempts_by_agent", "agent", "created_at", "status"),
        ("attempts_by_board", "board_id", "created_at", "status"),
    ):
        op.drop_index(name, "attempts", if_exists=True)
        op.create_index(name, "attempts", columns)
    changed = "UPDATE OF board_id, agent, status, created_at, ended_at"
    _make_trigger("attempts_counted", "INSERT", _count("NEW", 1))
    _make_trigger("attempts_recounted", changed, _count("OLD", -1), _count("NEW", 1), _forget("OLD"))
    _make_trigger("attempts_uncounted", "DELETE", _count("OLD", -1), _forget("OLD"))
    op.execute("DELETE FROM attempt_counts")
    op.execute(_add(_parts("attempts", 1, " FROM attempts")))


def _make_trigger(name: str, when: str, *statements: str) -> None:
    op.execute(f"DROP TRIGGER IF EXISTS {name}")
    op.execute(f"CREATE TRIGGER {name} AFTER {when} ON attempts BEGIN {'; '.join(statements)}; END")


def _count(row: str, sign: int) -> str:
    return _add(_parts(row, sign))


def _add(parts: str) -> str:
    sums = ", ".join(f"{name} = {name} + excluded.{name}" for name in _COUNTS)
    columns = f"kind, key, since, {', '.join(_COUNTS)}"
    return f"INSERT INTO attempt_counts ({columns}) {parts} ON CONFLICT (kind, key, since) DO UPDATE SET {sums}"


def _parts(row: str, sign: int, source: str = "") -> str:
    """Return what selects the rows to add for an attempt; the last ends in a condition, or `ON` would be a join's."""
    active, over = f"{row}.status IN {_ACTIVE}", f"{row}.status NOT IN {_ACTIVE}"
    counts = f"{sign}, {sign} * ({active}), {sign} * ({row}.status = 'succeeded'), {sign} * ({row}.status = 'failed')"
    return " UNION ALL ".join(
        (
            f"SELECT 'agent', {row}.agent, {_span(f'{row}.created_at')}, {counts}{source}",
            f"SELECT 'board', {row}.board_id, {_span(f'{row}.created_at')}, {counts}{source}",
            f"SELECT 'over', '', {_span(f'{row}.ended_at')}, {counts}{source} WHERE {over} AND {row}.ended_at NOTNULL",
        )
    )


def _forget(row: str) -> str:
    created, ended = _span(f"{row}.created_at"), _span(f"{row}.ended_at")
    places = f"('agent', {row}.agent, {created}), ('board', {row}.board_id, {created}), ('over', '', {ended})"
    return f"DELETE FROM attempt_counts WHERE (kind, key, since) IN (VALUES {places}) AND attempts = 0"


def _span(time: str) -> str:
    # Rounded down before 1970 too, where the remainder is negative.
    return f"({time} - ({time} % {_SPAN} + {_SPAN}) % {_SPAN})"
