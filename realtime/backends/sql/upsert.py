"""`insert` with `ON CONFLICT`, for every database.

SQLite has taken this syntax from PostgreSQL, and SQLAlchemy's statement for PostgreSQL makes the same text for SQLite.
The other way round, it does not.
"""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert

__all__ = ["insert"]
