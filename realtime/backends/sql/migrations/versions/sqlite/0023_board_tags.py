"""The board of each tag of global ids."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and fill it for the existing boards."""
    board_tags = op.create_table(
        "board_tags",
        sa.Column("tag", sa.Text(), primary_key=True),
        sa.Column("board_id", sa.Text(), nullable=False, unique=True),
        sqlite_with_rowid=False,
    )
    boards = op.get_bind().scalars(sa.text("SELECT id FROM projects")).all()
    op.bulk_insert(board_tags, [{"tag": _tag(board_id), "board_id": board_id} for board_id in boards])


def _tag(board_id: str) -> str:
    # As in `realtime.global_ids` at the time of this version.
    digest = blake2b(board_id.encode(errors="surrogatepass"), digest_size=9, person=b"global id").digest()
    return urlsafe_b64encode(digest)[:11].decode()
