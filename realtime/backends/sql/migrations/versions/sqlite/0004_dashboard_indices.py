"""Indices with which the dashboard counts attempts and selects those it shows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ACTIVE = "('queued', 'running', 'stopping')"


def upgrade() -> None:
    """Create the indices; the rows stay as they are."""
    _make("attempts_by_agent", "agent", "status", "created_at")
    _make("attempts_by_board", "board_id", "status", "created_at")
    _make("attempts_by_creation", sa.text("created_at DESC"), "sequence")
    _make("attempts_active", sa.text("updated_at DESC"), "sequence", where=f"status IN {_ACTIVE}")
    _make("attempts_over", sa.text("ended_at DESC"), "sequence", "status", where=f"status NOT IN {_ACTIVE}")


def _make(name: str, *columns: str | sa.TextClause, where: str | None = None) -> None:
    which = None if where is None else sa.text(where)
    op.create_index(name, "attempts", list(columns), if_not_exists=True, sqlite_where=which, postgresql_where=which)
