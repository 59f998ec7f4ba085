"""Counts of attempts by span of time. Triggers update them with every change of an attempt."""

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
    """Create the table and its triggers, and count the existing attempts."""
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
    _make_triggers()
    op.execute("DELETE FROM attempt_counts")
    every = " FROM attempts WHERE true"
    op.execute(_add(_created("agent", "agent", "attempts", 1) + every))
    op.execute(_add(_created("board", "board_id", "attempts", 1) + every))
    op.execute(_add(_ended("attempts", 1, " FROM attempts")))


def _make_triggers() -> None:
    places = (("agent", "agent"), ("board", "board_id"))
    _make_trigger("created", "INSERT", *(_add(_created(*place, "NEW", 1) + " WHERE true") for place in places))
    _make_trigger("deleted", "DELETE", *(part for place in places for part in _take_away(*place)))
    for kind, key in places:
        # The next two triggers could be one, but most changes are of the status only, and then one row is updated.
        same = f"NEW.{key} IS OLD.{key} AND NEW.created_at IS OLD.created_at"
        columns = f"{key}, created_at"
        moved = (_add(_created(kind, key, "NEW", 1) + " WHERE true"), *_take_away(kind, key))
        _make_trigger(f"moved_by_{kind}", f"UPDATE OF {columns}", *moved, when=f"NOT ({same})")
        changes = ", ".join(f"{name} = {name} + ({new}) - ({old})" for name, new, old in _flags())
        changed = " OR ".join(f"({new}) IS NOT ({old})" for _, new, old in _flags())
        update = f"UPDATE attempt_counts SET {changes} WHERE {_place(kind, f'NEW.{key}', 'NEW.created_at')}"
        _make_trigger(f"changed_by_{kind}", "UPDATE OF status", update, when=f"{same} AND ({changed})")
    counted = _add(_ended("NEW", 1))
    uncounted = (_add(_ended("OLD", -1)), _forget("over", "''", "OLD.ended_at"))
    same = f"({_over('NEW')}) IS ({_over('OLD')}) AND {_span('NEW.ended_at')} IS {_span('OLD.ended_at')}"
    _make_trigger("ended", "INSERT", counted)
    _make_trigger("ended_otherwise", "UPDATE OF status, ended_at", counted, *uncounted, when=f"NOT ({same})")
    _make_trigger("ended_deleted", "DELETE", *uncounted)


def _make_trigger(name: str, event: str, *statements: str, when: str = "true") -> None:
    op.execute(f"DROP TRIGGER IF EXISTS attempts_{name}")
    work = "; ".join(statements)
    op.execute(f"CREATE TRIGGER attempts_{name} AFTER {event} ON attempts WHEN {when} BEGIN {work}; END")


def _add(rows: str) -> str:
    sums = ", ".join(f"{name} = {name} + excluded.{name}" for name in _COUNTS)
    columns = f"kind, key, since, {', '.join(_COUNTS)}"
    return f"INSERT INTO attempt_counts ({columns}) {rows} ON CONFLICT (kind, key, since) DO UPDATE SET {sums}"


def _take_away(kind: str, key: str) -> tuple[str, str]:
    taken = _add(_created(kind, key, "OLD", -1) + " WHERE true")
    return taken, _forget(kind, f"OLD.{key}", "OLD.created_at")


def _created(kind: str, key: str, row: str, sign: int) -> str:
    """Return a query for the counts of an attempt. The caller adds a condition, or `ON` would belong to a join."""
    counts = ", ".join((f"{sign}", *(f"{sign} * ({flag})" for flag in _flags_of(row))))
    return f"SELECT '{kind}', {row}.{key}, {_span(f'{row}.created_at')}, {counts}"


def _ended(row: str, sign: int, source: str = "") -> str:
    # No query asks how these attempts ended.
    return f"SELECT 'over', '', {_span(f'{row}.ended_at')}, {sign}, 0, 0, 0{source} WHERE {_over(row)}"


def _over(row: str) -> str:
    return f"{row}.status NOT IN {_ACTIVE} AND {row}.ended_at NOTNULL"


def _flags_of(row: str) -> tuple[str, str, str]:
    return f"{row}.status IN {_ACTIVE}", f"{row}.status = 'succeeded'", f"{row}.status = 'failed'"


def _flags() -> zip[tuple[str, str, str]]:
    return zip(_COUNTS[1:], _flags_of("NEW"), _flags_of("OLD"), strict=True)


def _forget(kind: str, key: str, time: str) -> str:
    return f"DELETE FROM attempt_counts WHERE {_place(kind, key, time)} AND attempts = 0"


def _place(kind: str, key: str, time: str) -> str:
    return f"kind = '{kind}' AND key = {key} AND since = {_span(time)}"


def _span(time: str) -> str:
    # Rounded down even before 1970, where the remainder is negative.
    return f"({time} - ({time} % {_SPAN} + {_SPAN}) % {_SPAN})"
