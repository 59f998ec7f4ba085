"""Boards as they were, where replay begins to fold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; boards that are there already get their first snapshot as they go on."""
    op.create_table(
        "snapshots",
        sa.Column("board_id", sa.Text(), primary_key=True),
        sa.Column("offset", sa.BigInteger(), primary_key=True),
        sa.Column("board", sa.Text(), nullable=False),
    )
