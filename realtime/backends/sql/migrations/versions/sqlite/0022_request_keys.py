"""The first request under each idempotency key; at first these are the events with an id.

Their sender and their fingerprint are not known. So these rows have the subject `*` and an empty fingerprint, which any
caller and any event matches, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table with its indices, and fill it from the log."""
    op.create_table(
        "request_keys",
        sa.Column("sequence", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("global_offset", sa.BigInteger(), nullable=False),
    )
    op.create_index("request_keys_by_key", "request_keys", ["scope", "subject", "key"], unique=True)
    op.create_index("request_keys_by_place", "request_keys", ["channel", "after"])
    op.execute(
        'INSERT INTO request_keys (scope, subject, "key", fingerprint, channel, "after", "offset", global_offset)'
        """ SELECT channel, '*', idempotency_key, x'', channel, "offset" - 1, "offset", global_offset"""
        " FROM events WHERE idempotency_key NOTNULL ORDER BY sequence"
    )
