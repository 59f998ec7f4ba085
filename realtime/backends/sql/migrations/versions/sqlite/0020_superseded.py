"""A flag for events that a later event of their unit supersedes; existing events do not have it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, unless it exists."""
    if "superseded" not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns("events")}:
        op.add_column("events", sa.Column("superseded", sa.Boolean(), nullable=False, server_default=sa.false()))
