"""In PostgreSQL, units that change attempts count them one after the other, so that none waits in a circle.

Each change of an attempt counts in up to three rows, which other boards share. Without an order, two units would often
lock the same rows in different orders, and PostgreSQL looks for such a circle only after a second.
"""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

#: The family of the server's locks (`postgres.locks`), and the number of this one.
_LOCK = "1650680179, 4"


def upgrade() -> None:
    """Let the trigger take its turn first; in SQLite nothing changes, because there is one writer."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION count_attempts() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN"
        f"  PERFORM pg_advisory_xact_lock({_LOCK});"
        "  IF TG_OP <> 'DELETE' THEN PERFORM count_attempt_everywhere(NEW, 1); END IF;"
        "  IF TG_OP <> 'INSERT' THEN PERFORM count_attempt_everywhere(OLD, -1); END IF;"
        "  RETURN NULL;"
        " END $$"
    )
