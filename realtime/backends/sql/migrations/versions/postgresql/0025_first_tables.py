"""The first tables in PostgreSQL: those that SQLite has in version 0025."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = None
branch_labels = None
depends_on = None

#: Six hours, in milliseconds.
_SPAN = 21_600_000
_ACTIVE = "('queued', 'running', 'stopping')"


def upgrade() -> None:
    """Create all tables, indices and triggers."""
    _make_boards()
    _make_attempts()
    _make_entries()
    _make_agents()
    _make_log()
    _make_counts()


def _make_boards() -> None:
    _make(
        "projects",
        _key("id"),
        *map(_text, ("name", "status", "repository_path")),
        *map(_option, ("repository_url", "repository_slug")),
        _text("ticket_prefix"),
        *map(_number, ("next_ticket_number", "created_at", "sequence")),
    )
    _make("board_tags", _key("tag"), _text("board_id", unique=True))
    lists = (_text(name, server_default="[]") for name in ("renewed", "card_ids"))
    _make("columns", *map(_key, ("board_id", "id")), _text("title"), _place(), *lists)
    _make(
        "cards",
        *map(_key, ("board_id", "id")),
        _text("column_id"),
        _number("sequence"),
        _text("title"),
        *map(_option, ("description", "ticket_key", "ticket_type", "pr_url")),
        *map(_flag, ("is_enhanced", "disable_auto_close_on_pr_merge")),
        sa.Column("issue_number", sa.BigInteger()),
        _option("issue_url"),
        *map(_number, ("created_at", "updated_at")),
    )
    op.create_index("cards_by_column", "cards", ["board_id", "column_id"])
    op.create_index("cards_by_id", "cards", ["id"])
    _make("dependencies", *map(_key, ("board_id", "card_id", "depends_on_id")), _place())
    op.create_index("dependencies_by_target", "dependencies", ["board_id", "depends_on_id"])


def _make_attempts() -> None:
    _make(
        "attempts",
        *map(_key, ("board_id", "id")),
        *map(_text, ("card_id", "agent", "status")),
        *map(_option, ("base_branch", "branch_name", "worktree_path")),
        *map(_number, ("created_at", "updated_at")),
        *(sa.Column(name, sa.BigInteger()) for name in ("started_at", "ended_at")),
        _number("sequence"),
    )
    for name, *columns in (
        ("id", "id"),
        ("sequence", "sequence"),
        ("card", "board_id", "card_id"),
        ("agent", "agent", "created_at", "status"),
        ("board", "board_id", "created_at", "status"),
    ):
        op.create_index(f"attempts_by_{name}", "attempts", columns)
    active, over = (sa.text(f"status {how} {_ACTIVE}") for how in ("IN", "NOT IN"))
    by_creation, by_change, by_end = (sa.text(f"{what}_at DESC") for what in ("created", "updated", "ended"))
    op.create_index("attempts_by_creation", "attempts", [by_creation, "sequence"])
    op.create_index("attempts_active", "attempts", [by_change, "sequence"], postgresql_where=active)
    op.create_index("attempts_over", "attempts", [by_end, "sequence", "status"], postgresql_where=over)
    counts = map(_number, ("attempts", "active", "succeeded", "failed"))
    _make("attempt_counts", *map(_key, ("kind", "key")), _number("since", primary_key=True), *counts)
    _make("gone_attempts", *map(_key, ("board_id", "attempt_id")), _number("sequence"))
    op.create_index("gone_attempts_by_sequence", "gone_attempts", ["board_id", "sequence"])


def _make_entries() -> None:
    """Create the tables of the rows under an attempt's id."""
    _make("sessions", *map(_key, ("board_id", "attempt_id")), _text("session_id"))
    _make("todos", *map(_key, ("board_id", "attempt_id")), _text("todos"))
    _make("logs", _serial(), *_entry(), _number("ts"), *map(_text, ("level", "message")))
    op.create_index("logs_by_attempt", "logs", ["board_id", "attempt_id", "offset"])
    op.create_index("logs_by_level", "logs", ["level", "board_id", "attempt_id"])
    _make("conversation", _serial(), *_entry(), _text("item"))
    op.create_index("conversation_by_attempt", "conversation", ["board_id", "attempt_id", "offset"])


def _make_agents() -> None:
    _make("agents", _key("key"), _option("label"), _number("sequence"))
    _make("profiles", _key("id"), _text("agent"), _option("label"), _number("sequence"))
    _make(
        "access_tokens",
        _key("id"),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        *map(_text, ("name", "grants")),
        _number("created_at"),
        *(sa.Column(name, sa.BigInteger()) for name in ("expires_at", "last_used_at")),
        *map(_option, ("key_subject", "key")),
        _number("sequence", unique=True),
    )
    op.create_index("access_tokens_by_key", "access_tokens", ["key_subject", "key"], unique=True)


def _make_log() -> None:
    _make("meta", _key("key"), _text("value"))
    _make("channels", _key("channel"), _number("offset"), _number("pruned", server_default="0"))
    _make("snapshots", _key("board_id"), _number("offset", primary_key=True), _text("board"))
    _make(
        "events",
        _serial(),
        _text("channel"),
        *map(_number, ("offset", "global_offset")),
        *map(_text, ("name", "payload")),
        _option("changes"),
        _number("at"),
        _number("recorded_at", server_default="0"),
        _option("idempotency_key", unique=True),
        _flag("superseded", server_default=sa.false()),
    )
    op.create_index("events_by_place", "events", ["channel", "offset"], unique=True)
    _make(
        "request_keys",
        _serial(),
        *map(_text, ("scope", "subject", "key")),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        _text("channel"),
        *map(_number, ("after", "offset", "global_offset")),
    )
    op.create_index("request_keys_by_key", "request_keys", ["scope", "subject", "key"], unique=True)
    op.create_index("request_keys_by_place", "request_keys", ["channel", "after"])


def _make_counts() -> None:
    """Create the trigger that updates the counts with every change of an attempt, as `0006` does for SQLite."""
    flags = ", ".join(f"sign * (status {test})::int" for test in (f"IN {_ACTIVE}", "= 'succeeded'", "= 'failed'"))
    sums = ", ".join(f"{name} = c.{name} + excluded.{name}" for name in ("attempts", "active", "succeeded", "failed"))
    op.execute(
        "CREATE FUNCTION count_attempt(kind text, key text, at bigint, status text, sign int) RETURNS void"
        " LANGUAGE plpgsql AS $$"
        # Rounded down even before 1970, where the remainder is negative.
        f" DECLARE span bigint := at - (at % {_SPAN} + {_SPAN}) % {_SPAN};"
        " BEGIN"
        "  INSERT INTO attempt_counts AS c (kind, key, since, attempts, active, succeeded, failed)"
        f"  SELECT $1, $2, span, sign, {flags}"
        f"  ON CONFLICT ON CONSTRAINT attempt_counts_pkey DO UPDATE SET {sums};"
        "  IF sign < 0 THEN"
        "   DELETE FROM attempt_counts AS c WHERE c.kind = $1 AND c.key = $2 AND c.since = span AND c.attempts = 0;"
        "  END IF;"
        " END $$"
    )
    op.execute(
        "CREATE FUNCTION count_attempt_everywhere(a attempts, sign int) RETURNS void LANGUAGE plpgsql AS $$"
        " BEGIN"
        "  PERFORM count_attempt('agent', a.agent, a.created_at, a.status, sign);"
        "  PERFORM count_attempt('board', a.board_id, a.created_at, a.status, sign);"
        # No query asks how these attempts ended.
        f"  IF a.status NOT IN {_ACTIVE} AND a.ended_at IS NOT NULL THEN"
        "   PERFORM count_attempt('over', '', a.ended_at, '', sign);"
        "  END IF;"
        " END $$"
    )
    # The new counts come first, so that no row is deleted and made again.
    op.execute(
        "CREATE FUNCTION count_attempts() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN"
        "  IF TG_OP <> 'DELETE' THEN PERFORM count_attempt_everywhere(NEW, 1); END IF;"
        "  IF TG_OP <> 'INSERT' THEN PERFORM count_attempt_everywhere(OLD, -1); END IF;"
        "  RETURN NULL;"
        " END $$"
    )
    counted = "(board_id, agent, status, created_at, ended_at)"
    names = {place: counted.replace("(", f"({place}.").replace(", ", f", {place}.") for place in ("OLD", "NEW")}
    for name, event, when in (
        ("made", "INSERT OR DELETE", "true"),
        ("changed", "UPDATE", f"{names['OLD']} IS DISTINCT FROM {names['NEW']}"),
    ):
        op.execute(
            f"CREATE TRIGGER attempts_{name} AFTER {event} ON attempts FOR EACH ROW WHEN ({when})"
            " EXECUTE FUNCTION count_attempts()"
        )


def _make(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(name, *columns)


def _key(name: str) -> sa.Column[Any]:
    return _text(name, primary_key=True)


def _text(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, _TEXT, nullable=False, **options)


def _option(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, _TEXT, **options)


def _number(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=False, autoincrement=False, **options)


def _flag(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False, **options)


def _entry() -> tuple[sa.Column[Any], ...]:
    return _text("board_id"), _text("attempt_id"), _number("offset")


def _place() -> sa.Column[Any]:
    return sa.Column("position", sa.Integer(), nullable=False)


def _serial() -> sa.Column[Any]:
    return sa.Column("sequence", sa.BigInteger(), primary_key=True, autoincrement=True)


#: By code points, as in SQLite. In other orders, an index breaks when the system changes its rules.
_TEXT = sa.Text(collation="C")
