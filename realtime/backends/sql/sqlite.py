"""SQLite on threads of ours: the one place that knows how such a database is opened, read and written.

SQLAlchemy's own way to it from asyncio is aiosqlite, which sends each call of the driver to a thread and waits for it:
71 times for a batch of 100 events, 0.1 ms each, which was half of what a batch cost (18 ms of CPU). Here a load, or a
unit of writing, goes to the thread in one piece and works with a plain connection there.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine

from realtime.backends.sql.checkpoints import Checkpoints
from realtime.backends.sql.connections import Connections
from realtime.backends.sql.database_file import DatabaseFile, file_of, make_file, may_make
from realtime.backends.sql.engine import make_engine, migrate

__all__ = ["DRIVER_AWAY", "Sqlite"]

#: What the driver raises when the database does not answer or cannot write.
DRIVER_AWAY = (sqlite3.InterfaceError, sqlite3.OperationalError)
READERS = 4
_T = TypeVar("_T")


class Sqlite:
    """A database: one connection writes, so units of writing come one after the other; others read beside it.

    In memory there is a single connection for both, handed from one to the next. `open` before use, `aclose` after.
    """

    def __init__(self, url: URL, *, exclusive: bool = False) -> None:
        """Remember where the database is; nothing is opened. `exclusive`: no other process may serve the file."""
        self._path = file_of(url)
        self._may_make = may_make(url)
        self._exclusive = exclusive
        self._file: DatabaseFile | None = None
        writing = make_engine(url, connections=1, immediate=True)
        self._checkpoints: Checkpoints | None = None
        if self._path is None:
            self._writer = self._readers = Connections(writing, 1)
        else:
            self._readers = Connections(make_engine(url, connections=READERS, immediate=False), READERS)
            self._checkpoints = Checkpoints(Connections(make_engine(url, connections=1, immediate=False), 1))
            self._writer = Connections(writing, 1, self._checkpoints.note_commit)

    async def open(self) -> None:
        """Bring the tables up to date.

        Raises:
            StoreUnusable: the database cannot be opened, or another process has it.
        """
        if self._path is not None:
            await asyncio.to_thread(self._claim, self._path)
        await self._writer.call(migrate)
        if self._checkpoints is not None:
            self._checkpoints.start()

    async def aclose(self) -> None:
        """Close all connections, once their threads are through; twice is allowed."""
        await self._writer.aclose()
        await self._readers.aclose()
        if self._checkpoints is not None:
            await self._checkpoints.aclose()
        if self._file is not None:
            self._file.close()

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

    def _claim(self, path: Path) -> None:
        if self._exclusive:
            self._file = DatabaseFile.claim(path, may_make=self._may_make)
        elif self._may_make:
            make_file(path)
