"""SQLite on threads of ours: the one place that knows how such a database is opened, read and written.

SQLAlchemy's own way to it from asyncio is aiosqlite, which sends each call of the driver to a thread and waits for it:
71 times for a batch of 100 events, 0.1 ms each, which was half of what a batch cost (18 ms of CPU). Here a load, or a
unit of writing, goes to the thread in one piece and works with a plain connection there.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
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

        return await self._readers.call(loaded)

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """Return what `work` gives, called in a thread with the connection that writes; committed unless it raises.

        Raises:
            TimeoutError: others wrote for too long.
        """

        def written(engine: Engine) -> _T:
            with engine.begin() as connection:
                return work(connection)

        return await self._writer.call(written)


class _Connections:
    """So many connections to one database, and as many threads to use them in.

    A caller that is cancelled leaves what it asked for to its end: a thread can not be stopped, and the next in turn
    gets the connection when it is free.
    """

    def __init__(self, engine: Engine, count: int) -> None:
        self._engine = engine
        self._count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="sqlite")
        self._turns = asyncio.Semaphore(count)
        self._closed = False

    async def call(self, work: Callable[[Engine], _T]) -> _T:
        """Return `work(engine)`, called in a thread once a connection is free.

        Raises:
            TimeoutError: none became free.
        """
        if self._closed:
            raise RuntimeError("the database is closed")
        async with asyncio.timeout(TURN_SECONDS):
            await self._turns.acquire()
        return await self._submit(work)

    async def aclose(self) -> None:
        """Close the connections, once all are free, and end the threads; twice is allowed."""
        if not self._closed:
            self._closed = True
            for _ in range(self._count):
                await self._turns.acquire()
            # In the thread: a database in memory belongs to the one that made it.
            await self._submit(Engine.dispose)
            await asyncio.to_thread(self._threads.shutdown)

    def _submit(self, work: Callable[[Engine], _T]) -> asyncio.Future[_T]:
        # Not `run_in_executor`: it takes two more turns of the loop, which under load are what a small write waits for.
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_T] = loop.create_future()
        working = self._threads.submit(work, self._engine)
        working.add_done_callback(lambda done: loop.call_soon_threadsafe(self._answer, answer, done))
        return answer

    def _answer(self, answer: asyncio.Future[_T], done: Future[_T]) -> None:
        self._turns.release()
        error = done.exception()
        if answer.cancelled():
            return
        if error is None:
            answer.set_result(done.result())
        else:
            answer.set_exception(error)
