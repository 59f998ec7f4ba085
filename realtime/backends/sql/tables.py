"""The tables. Times are integers: milliseconds since 1970 in UTC, the same in every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    desc,
    false,
    literal_column,
)
from sqlalchemy.engine import Dialect

from realtime.kanban.models import ACTIVE_STATUSES, AttemptStatus

__all__ = [
    "ACTIVE",
    "COUNTED_MILLISECONDS",
    "OVER",
    "Instant",
    "access_tokens",
    "agents",
    "attempt_counts",
    "attempts",
    "board_tags",
    "cards",
    "channels",
    "columns",
    "conversation",
    "dependencies",
    "events",
    "gone_attempts",
    "instant",
    "logs",
    "meta",
    "metadata",
    "milliseconds",
    "profiles",
    "projects",
    "request_keys",
    "sessions",
    "snapshots",
    "todos",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# SQLite numbers rows by itself only in a column of the type INTEGER.
_Serial = BigInteger().with_variant(Integer(), "sqlite")


def milliseconds(instant: datetime) -> int:
    """Return a time as the tables store it."""
    return (instant - _EPOCH) // _MILLISECOND


def instant(milliseconds: int) -> datetime:
    """Return the time that the tables store as `milliseconds`."""
    return _EPOCH + milliseconds * _MILLISECOND


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as milliseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Datetime → milliseconds."""
        return None if value is None else milliseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Milliseconds → datetime."""
        return None if value is None else instant(value)


metadata = MetaData()

#: `epoch`, and other values of the database as a whole.
meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("repository_path", Text, nullable=False),
    Column("repository_url", Text),
    Column("repository_slug", Text),
    Column("ticket_prefix", Text, nullable=False),
    Column("next_ticket_number", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    # Order in which projects became known; it orders those with the same `created_at`.
    Column("sequence", BigInteger, nullable=False),
)

#: The board of each tag (`global_ids`), for `node(id:)`; no two boards have the same tag.
board_tags = Table(
    "board_tags",
    metadata,
    Column("tag", Text, primary_key=True),
    Column("board_id", Text, nullable=False, unique=True),
    sqlite_with_rowid=False,
)

# Clients choose ids of columns and cards, too, so these are unique only within a board.
columns = Table(
    "columns",
    metadata,
    Column("board_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("position", Integer, nullable=False),
    # Its cards from top to bottom, and the times of those that moves have displaced (`column_order`). In this order: to
    # read a column of a row, SQLite reads all columns before it.
    Column("renewed", Text, nullable=False, server_default="[]"),
    Column("card_ids", Text, nullable=False, server_default="[]"),
)

cards = Table(
    "cards",
    metadata,
    Column("board_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("column_id", Text, nullable=False),
    # Order of creation on the board.
    Column("sequence", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("ticket_key", Text),
    Column("ticket_type", Text),
    Column("pr_url", Text),
    Column("is_enhanced", Boolean, nullable=False),
    Column("disable_auto_close_on_pr_merge", Boolean, nullable=False),
    Column("issue_number", BigInteger),
    Column("issue_url", Text),
    Column("created_at", Instant, nullable=False),
    # The card's column has a newer time if the card was displaced.
    Column("updated_at", Instant, nullable=False),
    Index("cards_by_column", "board_id", "column_id"),
    Index("cards_by_id", "id"),
)

dependencies = Table(
    "dependencies",
    metadata,
    Column("board_id", Text, primary_key=True),
    Column("card_id", Text, primary_key=True),
    Column("depends_on_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Index("dependencies_by_target", "board_id", "depends_on_id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("board_id", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("card_id", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("base_branch", Text),
    Column("branch_name", Text),
    Column("worktree_path", Text),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    # Order in which attempts became known; it orders those with the same `created_at`.
    Column("sequence", BigInteger, nullable=False),
    Index("attempts_by_id", "id"),
    Index("attempts_by_sequence", "sequence"),
    Index("attempts_by_card", "board_id", "card_id"),
    # For the counts of the dashboard where `attempt_counts` is too coarse …
    Index("attempts_by_agent", "agent", "created_at", "status"),
    Index("attempts_by_board", "board_id", "created_at", "status"),
    # … and for the first entries of its lists.
    Index("attempts_by_creation", desc("created_at"), "sequence"),
)
# Literals, not parameters: a partial index serves a statement only if that repeats the exact condition.
_active: list[ColumnElement[str]] = [
    literal_column(f"'{status}'") for status in AttemptStatus if status in ACTIVE_STATUSES
]
#: Conditions on attempts: not ended, and ended.
ACTIVE = attempts.c.status.in_(_active)
OVER = attempts.c.status.not_in(_active)
_by_change = (desc(attempts.c.updated_at), attempts.c.sequence)
# With the status, so that counting reads only the index.
_by_end = (desc(attempts.c.ended_at), *attempts.c["sequence", "status"])
Index("attempts_active", *_by_change, sqlite_where=ACTIVE, postgresql_where=ACTIVE)
Index("attempts_over", *_by_end, sqlite_where=OVER, postgresql_where=OVER)

#: Counts of attempts by span of time. For each agent (kind `agent`) and each board (`board`), the span is that of the
#: creation. For the attempts that have ended (`over`, without key, and with `attempts` only), it is that of the end.
#: Triggers on `attempts` update the counts and delete rows that count nothing.
attempt_counts = Table(
    "attempt_counts",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    # Beginning of the span: a multiple of `COUNTED_MILLISECONDS`.
    Column("since", BigInteger, primary_key=True),
    Column("attempts", BigInteger, nullable=False),
    # Number of these attempts that are active, succeeded or failed.
    Column("active", BigInteger, nullable=False),
    Column("succeeded", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
#: Length of a span: long enough for few rows, short enough for few attempts in the two spans that a window cuts.
COUNTED_MILLISECONDS = 6 * 3600 * 1000

#: Attempts that were deleted with their card; later reports of them belong to no attempt (`Board.gone`).
gone_attempts = Table(
    "gone_attempts",
    metadata,
    Column("board_id", Text, primary_key=True),
    Column("attempt_id", Text, primary_key=True),
    # Order of deletion on the board.
    Column("sequence", BigInteger, nullable=False),
    Index("gone_attempts_by_sequence", "board_id", "sequence"),
)

# Rows under an attempt's id are stored whether the attempt is known or not (docs/ingest.md). The key includes the
# board, because two boards may use one attempt id.
sessions = Table(
    "sessions",
    metadata,
    Column("board_id", Text, primary_key=True),
    Column("attempt_id", Text, primary_key=True),
    Column("session_id", Text, nullable=False),
)

logs = Table(
    "logs",
    metadata,
    Column("sequence", _Serial, primary_key=True, autoincrement=True),
    # Empty in rows of a version without this column, if their board is not known.
    Column("board_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    # Offset in the board's log of the event that brought the line; the line's cursor and id are made of it.
    Column("offset", BigInteger, nullable=False),
    Column("ts", Instant, nullable=False),
    Column("level", Text, nullable=False),
    Column("message", Text, nullable=False),
    Index("logs_by_attempt", "board_id", "attempt_id", "offset"),
    Index("logs_by_level", "level", "board_id", "attempt_id"),
)

conversation = Table(
    "conversation",
    metadata,
    Column("sequence", _Serial, primary_key=True, autoincrement=True),
    Column("board_id", Text, nullable=False),
    Column("attempt_id", Text, nullable=False),
    # As in `logs`.
    Column("offset", BigInteger, nullable=False),
    # The item as JSON, as it came.
    Column("item", Text, nullable=False),
    Index("conversation_by_attempt", "board_id", "attempt_id", "offset"),
)

todos = Table(
    "todos",
    metadata,
    Column("board_id", Text, primary_key=True),
    Column("attempt_id", Text, primary_key=True),
    Column("todos", Text, nullable=False),
)

agents = Table(
    "agents",
    metadata,
    Column("key", Text, primary_key=True),
    Column("label", Text),
    Column("sequence", BigInteger, nullable=False),
)

profiles = Table(
    "profiles",
    metadata,
    Column("id", Text, primary_key=True),
    Column("agent", Text, nullable=False),
    Column("label", Text),
    Column("sequence", BigInteger, nullable=False),
)

#: The last offset of each channel's log. It outlives the board, so that no offset is used twice.
channels = Table(
    "channels",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("offset", BigInteger, nullable=False),
    # Events up to this offset were pruned from the log.
    Column("pruned", BigInteger, nullable=False, server_default="0"),
)

#: Snapshots of boards at regular offsets and at the cut of the log; replay starts folding there. A snapshot is written
#: in the transaction of its event or of the cut.
snapshots = Table(
    "snapshots",
    metadata,
    Column("board_id", Text, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    # Made by `board.board_to_json`.
    Column("board", Text, nullable=False),
)

#: The event log, which defines order and replay.
events = Table(
    "events",
    metadata,
    Column("sequence", _Serial, primary_key=True, autoincrement=True),
    Column("channel", Text, nullable=False),
    Column("offset", BigInteger, nullable=False),
    # Offset of the last global event at that time.
    Column("global_offset", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("payload", Text, nullable=False),
    # The event's changes of the board (`changes.changes_to_json`), null for none.
    Column("changes", Text),
    # Time of the event by the sender's clock.
    Column("at", Instant, nullable=False),
    # Time at which the store wrote the event; retention counts its age from here.
    Column("recorded_at", Instant, nullable=False, server_default="0"),
    # Only events of versions before `request_keys` have one. SQLite would have to copy the table to drop the column.
    Column("idempotency_key", Text, unique=True),
    # A later event of its unit changes the board again.
    Column("superseded", Boolean, nullable=False, server_default=false()),
    Index("events_by_place", "channel", "offset", unique=True),
)

#: The first request under each idempotency key (`ports.FirstAnswer`). The log has the rest of its answer.
request_keys = Table(
    "request_keys",
    metadata,
    # Order of the requests.
    Column("sequence", _Serial, primary_key=True, autoincrement=True),
    Column("scope", Text, nullable=False),
    # `*` for ids of events from versions that knew no subjects.
    Column("subject", Text, nullable=False),
    Column("key", Text, nullable=False),
    # Empty for ids of events from versions without fingerprints; then any request is equal to the first.
    Column("fingerprint", LargeBinary, nullable=False),
    Column("channel", Text, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("global_offset", BigInteger, nullable=False),
    Index("request_keys_by_key", "scope", "subject", "key", unique=True),
    # For pruning: the key goes with the event after `after`.
    Index("request_keys_by_place", "channel", "after"),
)

#: Access tokens (`ports.AccessToken`). The secret itself is never stored.
access_tokens = Table(
    "access_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    # SHA-256 of the secret.
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    # The JSON form (`grants`).
    Column("grants", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    # The idempotency key of the request that made it.
    Column("key_subject", Text),
    Column("key", Text),
    # Order of creation.
    Column("sequence", BigInteger, nullable=False, unique=True),
    Index("access_tokens_by_key", "key_subject", "key", unique=True),
)

#: Sessions of web pages (`ports.StoredSession`). A row opens no session, and gives no token away.
web_sessions = Table(
    "web_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("client", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)
