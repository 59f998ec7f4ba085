"""How far back the log of each channel reaches, and how old its events are."""

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
    """Add the columns; to retention, events that are there already are as old as their senders said."""
    op.add_column("channels", sa.Column("pruned", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("events", sa.Column("recorded_at", sa.BigInteger(), nullable=False, server_default="0"))
    # Not in the future, where no sender's clock may keep an event, and all that follow it, for ever.
    now = int(time.time() * 1000)
    recorded_at = sa.case((_events.c.at > now, now), else_=_events.c.at)
    op.execute(sa.update(_events).values(recorded_at=recorded_at))
