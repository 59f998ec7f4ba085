"""Sessions → rows, and back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from realtime.backends.sql.tables import web_sessions
from realtime.ports import StoredSession

__all__ = ["add_session", "load_sessions", "remove_sessions"]


def load_sessions(connection: Connection, digests: Collection[bytes] | None = None) -> list[StoredSession]:
    """Return sessions, oldest first; None = all."""
    query = select(web_sessions).order_by(web_sessions.c.created_at, web_sessions.c.digest)
    if digests is not None:
        query = query.where(web_sessions.c.digest.in_(digests))
    return [_session(row) for row in connection.execute(query)]


def add_session(connection: Connection, session: StoredSession) -> None:
    """Insert a session, and delete those that have expired when it was created."""
    connection.execute(delete(web_sessions).where(web_sessions.c.expires_at <= session.created_at))
    connection.execute(insert(web_sessions).values(**asdict(session)))


def remove_sessions(connection: Connection, digests: Collection[bytes]) -> None:
    """Delete those of the sessions that exist."""
    if digests:
        one = delete(web_sessions).where(web_sessions.c.digest == bindparam("given"))
        connection.execute(one, [{"given": digest} for digest in digests])


def _session(row: Any) -> StoredSession:
    return StoredSession(row.digest, row.sealed, row.client, row.created_at, row.expires_at)
