"""Leadership: of all nodes of a database, one has the jobs that are done once for the installation.

The leader holds an advisory lock inside a transaction, and says something in it every second. When it is silent,
because it is paused or its network is gone, PostgreSQL ends the session after `LEASE_SECONDS`, and the lock is free. A
lock of a session would stay with a paused leader; a transaction has a timeout on every version of PostgreSQL. It keeps
no old rows alive, because it has neither an id nor, between two statements, a snapshot
(docs/decisions/0061-one-leader.md).
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from realtime.backends.sql.postgres.connecting import connect_options
from realtime.backends.sql.postgres.locks import LEADER
from realtime.tasks import end

__all__ = ["standing_for_leader"]

#: Seconds of silence after which a leader is none.
LEASE_SECONDS = 5.0
#: Seconds from one sign of life of the leader to the next, and about so many between two tries of another node.
BEAT_SECONDS, TRY_SECONDS = 1.0, 2.0
#: Most seconds for an answer. Below the lease, so that a leader without answers gives up first.
ANSWER_SECONDS = 3.0

log = logging.getLogger(__name__)


class _Candidate:
    def __init__(self, url: str) -> None:
        self._url = url
        #: Until when this node is the leader (`time.monotonic`).
        self._until = 0.0

    def leads(self) -> bool:
        """Return whether no other node can be the leader at this moment."""
        return time.monotonic() < self._until

    async def run(self) -> None:
        """Stand for leader until cancelled."""
        while True:
            try:
                await self._connect_and_stand()
            except (psycopg.Error, TimeoutError, OSError) as error:
                log.debug("standing for leader again: %s", error)  # the store logs that the database is away
            except Exception:
                log.exception("standing for leader failed, that is tried again")
            await asyncio.sleep(TRY_SECONDS * random.uniform(0.75, 1.25))

    async def _connect_and_stand(self) -> None:
        options = connect_options(self._url)
        async with asyncio.timeout(2 * ANSWER_SECONDS):
            connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True, **options)
        try:
            await self._stand(connection)
        finally:
            self._until = 0.0
            await connection.close()

    async def _stand(self, connection: psycopg.AsyncConnection[Any]) -> None:
        limit = f"{round(LEASE_SECONDS * 1000)}ms"
        await _asked(connection, f"SELECT set_config('idle_in_transaction_session_timeout', '{limit}', false)")
        while True:
            await _asked(connection, "BEGIN")
            began = time.monotonic()
            if await _asked(connection, f"SELECT pg_try_advisory_xact_lock({LEADER})"):
                log.info("this node has the jobs of the installation")
                await self._lead(connection, began)
            await _asked(connection, "ROLLBACK")
            await asyncio.sleep(TRY_SECONDS * random.uniform(0.75, 1.25))

    async def _lead(self, connection: psycopg.AsyncConnection[Any], began: float) -> None:
        """Lead until the connection fails. Our time begins before that of the server, so it ends first."""
        while True:
            self._until = began + LEASE_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            began = time.monotonic()
            await _asked(connection, "SELECT true")


@asynccontextmanager
async def standing_for_leader(url: str) -> AsyncIterator[Callable[[], bool]]:
    """Stand for leader of the nodes at `url` until the block ends.

    Give a function that says whether this node is the leader at the moment.
    """
    candidate = _Candidate(url)
    task = asyncio.create_task(candidate.run(), name="leadership")
    try:
        yield candidate.leads
    finally:
        await end(task)


async def _asked(connection: psycopg.AsyncConnection[Any], statement: str) -> bool:
    """Execute a statement, and return its value if it is true or false.

    Raises:
        TimeoutError: the server did not answer; the connection is closed.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            cursor = await connection.execute(statement.encode())
            row = await cursor.fetchone() if cursor.description else None
    except TimeoutError:
        connection.pgconn.finish()  # closing by a message would wait for the server, too
        raise
    return row is not None and row[0] is True
