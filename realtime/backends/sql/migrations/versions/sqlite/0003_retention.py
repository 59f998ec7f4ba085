"""The first offset that the log of each channel still has, and the age of its events."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_events = sa.table("events", sa.column("at"), sa.column("recorded_at"))


def upgrade() -> None:
    """Add the columns. Retention takes the senders' times as the age of existing events."""
    op.add_column("channels", sa.Column("pruned", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("events", sa.Column("recorded_at", sa.BigInteger(), nullable=False, server_default="0"))
    # No time in the future: a sender's wrong clock would keep an event, and all that follow it, for ever.
    now = int(time.time() * 1000)
    recorded_at = sa.case((_events.c.at > now, now), else_=_events.c.at)
    op.execute(sa.update(_events).values(recorded_at=recorded_at))
