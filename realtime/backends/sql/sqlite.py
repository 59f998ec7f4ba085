"""SQLite on threads of ours: the one place that knows how such a database is opened, read and written.

SQLAlchemy's own way to it from asyncio is aiosqlite, which sends each call of the driver to a thread and waits for it:
71 times for a batch of 100 events, 0.1 ms each, which was half of what a batch cost (18 ms of CPU). Here a load, or a
unit of writing, goes to the thread in one piece and works with a plain connection there.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine

from realtime.backends.sql.engine import make_engine, migrate

__all__ = ["DRIVER_AWAY", "Sqlite"]

#: What the driver raises when the database does not answer or cannot write.
DRIVER_AWAY = (sqlite3.InterfaceError, sqlite3.OperationalError)
READERS = 4
#: Most seconds that somebody waits for a connection.
TURN_SECONDS = 30.0
_T = TypeVar("_T")


class Sqlite:
    """A database: one connection writes, so units of writing come one after the other; others read beside it.

    In memory there is a single connection for both, handed from one to the next. `open` before use, `aclose` after.
    What is called must not be cancelled: a connection would be given to the next while its thread still works on it.
    """

    def __init__(self, url: URL) -> None:
        """Remember where the database is; nothing is opened."""
        self._writer = _Connections(make_engine(url, connections=1, immediate=True), 1)
        in_memory = url.database in (None, "", ":memory:")
        self._readers = (
            self._writer if in_memory else _Connections(make_engine(url, connections=READERS, immediate=False), READERS)
        )

    async def open(self) -> None:
        """Bring the tables up to date.

        Raises:
            StoreUnusable: the database cannot be opened.
        """
        await self._writer.call(migrate)

    async def aclose(self) -> None:
        """Close all connections, once their threads are through; twice is allowed."""
        await self._writer.aclose()
        await self._readers.aclose()

    async def read(self, load: Callable[[Connection], _T]) -> _T:
        """Return what `load` gives, called in a thread with a connection that sees one moment.

        Raises:
            TimeoutError: no connection became free.
        """

        def loaded(engine: Engine) -> _T:
            with engine.connect() as connection:
                return load(connection)

        async with self._readers.turn():
            return await self._readers.call(loaded)

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """Return what `work` gives, called in a thread with the connection that writes; committed unless it raises.

        Raises:
            TimeoutError: others wrote for too long.
        """

        def written(engine: Engine) -> _T:
            with engine.begin() as connection:
                return work(connection)

        async with self._writer.turn():
            return await self._writer.call(written)


class _Connections:
    """So many connections to one database, and as many threads to use them in."""

    def __init__(self, engine: Engine, count: int) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="sqlite")
        self._turns = asyncio.Semaphore(count)
        self._closed = False

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until a connection is free, and hold it for as long as the block runs."""
        async with asyncio.timeout(TURN_SECONDS):
            await self._turns.acquire()
        try:
            yield
        finally:
            self._turns.release()

    async def call(self, work: Callable[[Engine], _T]) -> _T:
        """Return `work(engine)`, called in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, self._engine)

    async def aclose(self) -> None:
        """Close the connections and end the threads."""
        if not self._closed:
            self._closed = True
            # In the thread: a database in memory belongs to the one that made it.
            await self.call(Engine.dispose)
            await asyncio.to_thread(self._threads.shutdown)
