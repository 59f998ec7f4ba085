"""The locks that several servers share: of those that use a database, of migrations, of the global head.

Advisory locks of PostgreSQL belong to one database, so a database has one installation of Boardcast.
"""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import Connection

from realtime.backends.sql.postgres.connecting import BoundedConnection
from realtime.errors import StoreUnusable

__all__ = ["LEADER", "claim", "lock_global_head", "lock_migrations"]

#: The first of the two numbers of each lock: "bcas".
_FAMILY: Final = 0x62636173
_SERVER, _MIGRATIONS, _GLOBAL_HEAD = 1, 2, 3
#: The two numbers of the leader's lock. The fourth lock is in migration 0027.
LEADER: Final = f"{_FAMILY}, 5"
#: Most seconds in which the session of a server that has ended may still have the lock.
CLAIM_SECONDS = 3.0
CLAIM_PAUSE_SECONDS = 0.05


def claim(connection: BoundedConnection, *, exclusive: bool) -> None:
    """Use the database until `connection` ends: with other servers, or alone if `exclusive`.

    Raises:
        StoreUnusable: somebody has it alone; if `exclusive`, somebody uses it.
    """
    shared, users = ("", "a server, or a command for tokens,") if exclusive else ("_shared", "a copy")
    end = time.monotonic() + CLAIM_SECONDS
    while not _row(connection, f"SELECT pg_try_advisory_lock{shared}({_FAMILY}, {_SERVER})")[0]:
        if time.monotonic() > end:
            raise StoreUnusable(f"{users} is using the database")
        time.sleep(CLAIM_PAUSE_SECONDS)


def lock_migrations(connection: Connection) -> None:
    """Wait until no other server changes the tables; the lock ends with the transaction."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_FAMILY}, {_MIGRATIONS})")


def lock_global_head(connection: Connection, *, exclusive: bool) -> None:
    """Keep the head of the global log until the transaction ends, for this unit alone if `exclusive`."""
    shared = "" if exclusive else "_shared"
    cursor = connection.connection.cursor()
    cursor.execute(f"SELECT pg_advisory_xact_lock{shared}({_FAMILY}, {_GLOBAL_HEAD})")
    cursor.close()


def _row(connection: BoundedConnection, query: str) -> tuple[bool, ...]:
    found: tuple[bool, ...] | None = connection.execute(query.encode()).fetchone()
    if found is None:
        raise StoreUnusable("the database does not answer as PostgreSQL does")
    return found
