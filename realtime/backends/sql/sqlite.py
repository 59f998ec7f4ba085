"""SQLite in threads of this program: the one place that knows how such a database is opened, read and written.

SQLAlchemy's own way from asyncio to SQLite is aiosqlite. It sends each call of the driver to a thread and waits for it:
71 calls for a batch of 100 events, 0.1 ms each. That was half of the cost of a batch (18 ms of CPU). Here a whole
load or write unit goes to the thread as one call, and uses a plain connection there.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, ProgrammingError, SQLAlchemyError

from realtime.backends.sql.connections import Connections
from realtime.backends.sql.engine import make_engine, open_all, write_transaction
from realtime.backends.sql.file.checkpoints import Checkpoints, checkpoint
from realtime.backends.sql.file.database_file import DatabaseFile, file_of, make_file, may_make
from realtime.backends.sql.file.file_guard import FileAway, FileGuard
from realtime.backends.sql.file.mending import Fingerprint, Mender, Mending
from realtime.backends.sql.migrate import migrate
from realtime.backends.sql.writing.heads import Heads
from realtime.errors import StoreUnusable
from realtime.tasks import retrieve

__all__ = ["Sqlite"]

#: Error codes of a damaged file (https://sqlite.org/rescode.html).
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
READERS = 4
#: If the log is longer than this, `Checkpoints` can not keep up: the next commit makes a checkpoint and waits for it.
LONG_LOG_BYTES = 64 << 20
_T = TypeVar("_T")
log = logging.getLogger(__name__)


class Sqlite:
    """A database. One connection writes, so write units come one after the other; other connections read meanwhile.

    A database in memory has a single connection for both. Call `open` before use, `aclose` after.
    """

    #: Errors of the driver when the database does not answer, cannot write, or is damaged.
    away = (sqlite3.InterfaceError, sqlite3.DatabaseError, FileAway)
    #: Errors of the driver about a wrong statement or value, which are bugs of this program.
    ours = (sqlite3.ProgrammingError,)
    heads = Heads

    def __init__(self, url: URL, *, exclusive: bool = False, fingerprint: Fingerprint = lambda _: None) -> None:
        """Store the URL; nothing is opened yet.

        `exclusive`: no other process may serve the file. `fingerprint` identifies the database when its files are back.
        """
        self._exclusive = exclusive
        self._fingerprint = fingerprint
        self._may_make = may_make(url)
        self._guarded: _Guarded | None = None
        writing = make_engine(url, connections=1, immediate=True)
        path = file_of(url)
        if path is None:
            self._writer = self._readers = Connections(writing, 1)
            return
        guard = FileGuard(path)
        self._readers = Connections(make_engine(url, connections=READERS, immediate=False), READERS)
        checkpoints = Checkpoints(Connections(make_engine(url, connections=1, immediate=False), 1), guard)
        self._writer = Connections(writing, 1, checkpoints.note_commit)
        verifier = make_engine(url, connections=1, immediate=False, only_reads=True)
        self._guarded = _Guarded(guard, Mender(guard, fingerprint), checkpoints, verifier, fingerprint)

    @property
    def guard(self) -> FileGuard | None:
        """The guard of its files, None for a database in memory. Writers of the main file use `FileGuard.changing`."""
        return None if self._guarded is None else self._guarded.guard

    def continue_numbers(self, connection: Connection) -> None:
        """Do nothing: SQLite numbers a row after the last one of its table."""

    @property
    def waits(self) -> int:
        """Calls that had to wait for a connection."""
        return self._writer.waits + self._readers.waits

    async def open(self) -> None:
        """Open the database and bring its tables to the newest version.

        Raises:
            StoreUnusable: the database cannot be opened, or another process has it.
        """
        if self._guarded is None:
            await self._writer.call(migrate)
            return
        await asyncio.to_thread(self._claim, self._guarded)
        await self._writer.call(migrate)
        async with self._all_taken(self._guarded) as engines:
            await asyncio.to_thread(_begin, self._guarded, engines)
        self._guarded.checkpoints.start()

    async def aclose(self) -> None:
        """Close all connections once their threads have finished; twice is allowed."""
        if self._guarded is not None and self._guarded.mending is not None:
            await asyncio.wait([self._guarded.mending])
        as_they_are = self._guarded is not None and not self._guarded.may_close()
        await self._writer.aclose(as_they_are=as_they_are)
        await self._readers.aclose(as_they_are=as_they_are)
        if self._guarded is not None:
            await self._guarded.checkpoints.aclose(as_they_are=as_they_are)
            self._guarded.close()

    async def read(self, load: Callable[[Connection], _T]) -> _T:
        """Return the result of `load`, called in a thread with a connection that sees one moment.

        Raises:
            TimeoutError: no connection became free in time.
            FileAway: the file is not the one that was opened, or is damaged.
        """
        guarded = self._guarded

        def loaded(engine: Engine) -> _T:
            """Return the result of `load`, checked before and after: it may have read another file."""
            if guarded is not None:
                guarded.guard.check(is_early=True)
            with engine.connect() as connection:
                found = load(connection)
            if guarded is not None:
                # `is_early` although it has read, because a read can be repeated.
                guarded.guard.check(is_early=True)
            return found

        return await self._call(self._readers, "read", loaded)

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """Return the result of `work`, called in a thread with the writing connection; commit unless it raises.

        Raises:
            TimeoutError: other writes took too long.
            FileAway: the file is not the one that was opened, or is damaged; nothing was written.
        """
        guarded = self._guarded

        def written(engine: Engine) -> _T:
            if guarded is None:
                with write_transaction(engine) as connection:
                    return work(connection)
            guarded.guard.check(is_early=True)
            with _writing(guarded.guard), write_transaction(engine) as connection:
                made = work(connection)
                last = self._fingerprint(connection)
                # The content is not checked: a unit may end although another tool has made a checkpoint meanwhile.
                guarded.guard.check(content=False)
            guarded.mender.last = last
            if guarded.guard.log_bytes > LONG_LOG_BYTES:
                _relieve(engine, guarded.guard)
            return made

        return await self._call(self._writer, "written", written)

    async def _call(self, connections: Connections, verb: str, work: Callable[[Engine], _T]) -> _T:
        guarded = self._guarded
        if guarded is None:
            return await connections.call(work)
        try:
            try:
                done = await connections.call(work)
            except FileAway as away:
                if not away.is_early:
                    raise
                await self._mend(guarded)
                done = await connections.call(work)
        except FileAway as away:
            guarded.note(str(away))
            raise
        except (sqlite3.DatabaseError, DBAPIError) as error:
            if _is_damage(error):
                guarded.guard.doubt()
            guarded.note_failure(verb, error)
            raise
        guarded.note(None)
        guarded.note_success(verb)
        return done

    async def _mend(self, guarded: _Guarded) -> None:
        # One task for all callers, so that a cancelled caller does not stop it.
        if guarded.mending is None or guarded.mending.done():
            guarded.mending = asyncio.create_task(self._mend_alone(guarded), name="mending")
            guarded.mending.add_done_callback(retrieve)
        await asyncio.shield(guarded.mending)

    async def _mend_alone(self, guarded: _Guarded) -> None:
        async with self._all_taken(guarded) as engines:
            mending = Mending(guarded.verifier, engines[0], lambda: _close(engines), lambda: _open(guarded, engines))
            await asyncio.to_thread(guarded.mender.mend, mending)

    @asynccontextmanager
    async def _all_taken(self, guarded: _Guarded) -> AsyncIterator[Sequence[Engine]]:
        """Reserve every connection for the length of the block; the writer's engine comes first."""
        async with AsyncExitStack() as stack:
            every = (self._writer, self._readers, guarded.checkpoints.connections)
            yield [await stack.enter_async_context(connections.all_taken()) for connections in every]

    def _claim(self, guarded: _Guarded) -> None:
        path = guarded.guard.path
        if self._exclusive:
            guarded.mender.hold(DatabaseFile.claim(path, may_make=self._may_make))
        elif self._may_make:
            make_file(path)


@dataclass(slots=True)
class _Guarded:
    """The parts of a database in a file, except its connections."""

    guard: FileGuard
    mender: Mender
    checkpoints: Checkpoints
    #: For a connection that only reads, to verify a file that is not trusted yet.
    verifier: Engine
    fingerprint: Fingerprint
    mending: asyncio.Task[None] | None = None
    #: Why the database cannot be used; logged once, not for each request.
    away: str | None = None
    #: Why the database cannot be read, or cannot be written, although its files are there: a full disk, a lock.
    failures: dict[str, str] = field(default_factory=dict)

    def note(self, away: str | None) -> None:
        """Log that the database is away or back, but only when that changes."""
        if away == self.away:
            return
        if away is not None:
            log.error("the database cannot be used: %s", away)
        else:
            log.warning("the database is back, and used as before")
        self.away = away

    def note_failure(self, verb: str, error: sqlite3.DatabaseError | DBAPIError) -> None:
        """Log why the database cannot be `verb` ("read", "written"), but only when the reason changes."""
        if isinstance(error, (sqlite3.ProgrammingError, ProgrammingError)):
            return  # a bug of this program, which is logged with its traceback
        reason = str(getattr(error, "orig", None) or error)
        if self.failures.get(verb) != reason:
            log.error("the database cannot be %s: %s", verb, reason)
            self.failures[verb] = reason

    def note_success(self, verb: str) -> None:
        """Log that the database can be `verb` again, if it could not."""
        if self.failures.pop(verb, None) is not None:
            log.warning("the database can be %s again", verb)

    def may_close(self) -> bool:
        """Return whether SQLite may write when it closes: not into a file that somebody else has written into.

        SQLite itself does not touch a file that was moved or replaced.
        """
        try:
            self.guard.check(content=False)
        except FileAway:
            return True
        try:
            self.guard.check()
            self.guard.check_log()
        except FileAway:
            return False
        return True

    def close(self) -> None:
        """Close the files, after the connections."""
        self.guard.close()
        if self.mender.file is not None:
            self.mender.file.close()


@contextmanager
def _writing(guard: FileGuard) -> Iterator[None]:
    """Write a unit into the log in this block.

    Raises:
        FileAway: somebody else has written into the log.
    """
    with guard.writing:
        guard.check_log()
        try:
            yield
        finally:
            guard.note_log()  # parts of a unit that is rolled back may be written


def _open(guarded: _Guarded, engines: Sequence[Engine]) -> None:
    """Open all connections at once, and remember their files as the known ones."""
    for engine in engines:
        open_all(engine)
    guarded.guard.remember()


def _begin(guarded: _Guarded, engines: Sequence[Engine]) -> None:
    try:
        _open(guarded, engines)
        with engines[1].connect() as connection:
            guarded.mender.last = guarded.fingerprint(connection)
    except (SQLAlchemyError, sqlite3.Error) as error:
        reason = getattr(error, "orig", None) or error
        raise StoreUnusable(f"cannot open the database {guarded.guard.path}: {reason}") from error


def _relieve(engine: Engine, guard: FileGuard) -> None:
    """Make a checkpoint; if it fails, the commit is not affected."""
    try:
        checkpoint(engine, guard)
    except (sqlite3.Error, SQLAlchemyError, FileAway) as error:
        log.warning("the write-ahead log is long, and no checkpoint could be made: %s", getattr(error, "orig", error))


def _close(engines: Sequence[Engine]) -> None:
    for engine in engines:
        engine.dispose()


def _is_damage(error: sqlite3.DatabaseError | DBAPIError) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in DAMAGED
