"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create all tables."""
    _make_agents()
    _make_attempts()
    _make_cards()
    _make_channels()
    _make_columns()
    _make_conversation()
    _make_dependencies()
    _make_events()
    _make_logs()
    _make_meta()
    _make_profiles()
    _make_projects()
    _make_sessions()
    _make_todos()


def _make_agents() -> None:
    op.create_table(
        "agents",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("label", sa.Text()),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
    )


def _make_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("board_id", sa.Text(), primary_key=True),
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("base_branch", sa.Text()),
        sa.Column("branch_name", sa.Text()),
        sa.Column("worktree_path", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
    )
    op.create_index("attempts_by_card", "attempts", ["board_id", "card_id"])
    op.create_index("attempts_by_id", "attempts", ["id"])
    op.create_index("attempts_by_sequence", "attempts", ["sequence"])


def _make_cards() -> None:
    op.create_table(
        "cards",
        sa.Column("board_id", sa.Text(), primary_key=True),
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("column_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("ticket_key", sa.Text()),
        sa.Column("ticket_type", sa.Text()),
        sa.Column("pr_url", sa.Text()),
        sa.Column("is_enhanced", sa.Boolean(), nullable=False),
        sa.Column("disable_auto_close_on_pr_merge", sa.Boolean(), nullable=False),
        sa.Column("issue_number", sa.BigInteger()),
        sa.Column("issue_url", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("cards_by_id", "cards", ["id"])
    op.create_index("cards_by_place", "cards", ["board_id", "column_id", "position"])


def _make_channels() -> None:
    op.create_table(
        "channels",
        sa.Column("channel", sa.Text(), primary_key=True),
        sa.Column("offset", sa.BigInteger(), nullable=False),
    )


def _make_columns() -> None:
    op.create_table(
        "columns",
        sa.Column("board_id", sa.Text(), primary_key=True),
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
    )


def _make_conversation() -> None:
    op.create_table(
        "conversation",
        sa.Column("sequence", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
    )
    op.create_index("conversation_by_attempt", "conversation", ["attempt_id", "sequence"])


def _make_dependencies() -> None:
    op.create_table(
        "dependencies",
        sa.Column("board_id", sa.Text(), primary_key=True),
        sa.Column("card_id", sa.Text(), primary_key=True),
        sa.Column("depends_on_id", sa.Text(), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
    )
    op.create_index("dependencies_by_target", "dependencies", ["board_id", "depends_on_id"])


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("global_offset", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), unique=True),
    )
    op.create_index("events_by_place", "events", ["channel", "offset"], unique=True)


def _make_logs() -> None:
    op.create_table(
        "logs",
        sa.Column("sequence", SERIAL, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("ts", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
    )
    op.create_index("logs_by_attempt", "logs", ["attempt_id", "sequence"])
    op.create_index("logs_by_level", "logs", ["level", "attempt_id"])


def _make_meta() -> None:
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )


def _make_profiles() -> None:
    op.create_table(
        "profiles",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("label", sa.Text()),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
    )


def _make_projects() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("repository_path", sa.Text(), nullable=False),
        sa.Column("repository_url", sa.Text()),
        sa.Column("repository_slug", sa.Text()),
        sa.Column("ticket_prefix", sa.Text(), nullable=False),
        sa.Column("next_ticket_number", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
    )


def _make_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("attempt_id", sa.Text(), primary_key=True),
        sa.Column("session_id", sa.Text(), nullable=False),
    )


def _make_todos() -> None:
    op.create_table(
        "todos",
        sa.Column("attempt_id", sa.Text(), primary_key=True),
        sa.Column("todos", sa.Text(), nullable=False),
    )
