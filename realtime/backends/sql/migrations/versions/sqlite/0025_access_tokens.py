"""Access tokens: the digest of each secret, its name, its grants and its times."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, empty."""
    op.create_table(
        "access_tokens",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("grants", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.Column("key_subject", sa.Text()),
        sa.Column("key", sa.Text()),
        sa.Column("sequence", sa.BigInteger(), nullable=False, unique=True),
    )
    op.create_index("access_tokens_by_key", "access_tokens", ["key_subject", "key"], unique=True)
