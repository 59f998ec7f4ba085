"""PostgreSQL in threads of this program: the one place that knows how such a database is opened, read and written.

One connection writes, and some read, each in a thread of its own, as with SQLite (`sqlite.Sqlite`). The pool is
SQLAlchemy's: it has a connection for each thread, so nobody ever waits for one
(docs/decisions/0056-one-store-for-two-databases.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

import psycopg
from alembic.util import CommandError
from psycopg import errors
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from realtime.backends.sql.connections import Connections
from realtime.backends.sql.migrate import upgrade
from realtime.backends.sql.postgres import constructs  # noqa: F401 - registers the texts of constructs
from realtime.backends.sql.postgres.connecting import (
    BoundedConnection,
    NoAnswer,
    check_url,
    for_migrations,
    make_engine,
    name_of,
)
from realtime.backends.sql.postgres.locked_heads import LockedHeads
from realtime.backends.sql.postgres.locks import claim, lock_migrations
from realtime.backends.sql.postgres.outage import DatabaseAway, Outage
from realtime.backends.sql.tables import metadata
from realtime.errors import StoreUnusable, UnitConflict

__all__ = ["Postgres"]

READERS = 4
#: A unit sees what other writers have committed before it locked a head; the heads make the order (`locked_heads`).
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE"
#: All statements of a read see one moment.
_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
#: A unit waits for the locks of others no longer than a client waits for an answer. A process that is paused within
#: a unit loses its locks soon, because the others wait for them: between two statements, in the middle of one, or while
#: it should read a long answer. A host that is gone loses its session. docs/operating.md, "PostgreSQL", has the table.
WRITER_SETTINGS = {
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "4s",
    "statement_timeout": "10s",
    "tcp_user_timeout": "10s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
#: A read locks nothing, but its snapshot keeps old rows from being removed.
READER_SETTINGS = {"idle_in_transaction_session_timeout": "30s", "statement_timeout": "10s"}
#: A migration may take long, and the other servers that start at the same time wait for it.
MIGRATION_SETTINGS = {
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "10min",
    "statement_timeout": "0",
}
#: Another writer was faster; decided again, the unit may succeed. A key that exists is found then.
_CONFLICTS = (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation)
_T = TypeVar("_T")


class Postgres:
    """A database on a server. Call `open` before use, `aclose` after."""

    away = (psycopg.Error, DatabaseAway)
    ours = (psycopg.ProgrammingError,)
    heads = LockedHeads

    def __init__(self, url: str, *, exclusive: bool = False) -> None:
        """Store the URL; nothing is opened yet. `exclusive`: no other process may use the database.

        Raises:
            StoreUnusable: libpq cannot read the URL.
        """
        check_url(url)
        self._name = name_of(url)
        self._exclusive = exclusive
        self._outage = Outage()
        writing = make_engine(url, connections=1, begin=_WRITE, prepare=self._prepare_writer)
        reading = make_engine(url, connections=READERS, begin=_READ, prepare=_prepare_reader)
        self._writer = Connections(writing, 1)
        self._readers = Connections(reading, READERS)

    def continue_numbers(self, connection: Connection) -> None:
        """Set the sequence of each table that has one to its last row."""
        for table in metadata.sorted_tables:
            if table.autoincrement_column is not None:
                name, column = table.name, table.autoincrement_column.name
                following = f"(SELECT coalesce(max({column}), 0) + 1 FROM {name})"
                numbers = f"pg_get_serial_sequence('{name}', '{column}')"
                connection.exec_driver_sql(f"SELECT setval({numbers}, {following}, false)")

    @property
    def waits(self) -> int:
        """Calls that had to wait for a connection."""
        return self._writer.waits + self._readers.waits

    async def open(self) -> None:
        """Connect, and bring the tables to the newest version.

        Raises:
            StoreUnusable: the database cannot be opened, or another process has it.
        """
        try:
            await self._writer.call(_migrate)
        # CommandError: the tables are those of a newer version.
        except (SQLAlchemyError, psycopg.Error, CommandError, StoreUnusable) as error:
            raise StoreUnusable(f"cannot open the database {self._name}: {_reason(error)}") from error

    async def aclose(self) -> None:
        """Close all connections once their threads have finished; twice is allowed."""
        await self._writer.aclose()
        await self._readers.aclose()

    async def read(self, load: Callable[[Connection], _T]) -> _T:
        """Return the result of `load`, called in a thread with a connection that sees one moment.

        Raises:
            TimeoutError: no connection became free in time.
            DatabaseAway: it cannot be reached, or does not answer.
        """

        def loaded(engine: Engine) -> _T:
            # The server was probably restarted, so the others are lost, too. Each is replaced when it is used next:
            # replacing all at once would leave those that other threads use now to nobody.
            for _ in range(READERS):
                with suppress(_LostConnection):
                    return _load(engine, load)
            return _load(engine, load)

        return await self._call(self._readers, loaded)

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """Return the result of `work`, called in a thread with the writing connection; commit unless it raises.

        Raises:
            TimeoutError: other writes took too long.
            DatabaseAway: it cannot be reached, or does not answer.
            UnitConflict: another writer was faster; nothing was stored.
        """

        def written(engine: Engine) -> _T:
            unit = _Unit(work)
            try:
                return unit.carry_out(engine)
            except _LostConnection:
                if unit.has_begun:
                    raise
                return unit.carry_out(engine)  # it was lost while it waited, and `work` was not called

        return await self._call(self._writer, written)

    async def _call(self, connections: Connections, work: Callable[[Engine], _T]) -> _T:
        self._outage.check()
        try:
            done = await connections.call(work)
        except _LostConnection:
            raise  # the next call connects again
        except DatabaseAway as away:
            self._outage.note_away(str(away))
            raise
        self._outage.note_back()
        return done

    def _prepare_writer(self, connection: BoundedConnection) -> None:
        _set(connection, WRITER_SETTINGS)
        claim(connection, exclusive=self._exclusive)


def _prepare_reader(connection: BoundedConnection) -> None:
    _set(connection, READER_SETTINGS)


def _set(connection: BoundedConnection, settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))


class _LostConnection(DatabaseAway):
    """The connection was lost, which says nothing about the next one."""


def _migrate(engine: Engine) -> None:
    with engine.begin() as connection, for_migrations(connection.connection.driver_connection):
        for name, value in MIGRATION_SETTINGS.items():
            connection.exec_driver_sql(f"SET LOCAL {name} = '{value}'")
        lock_migrations(connection)
        upgrade(connection)


def _load(engine: Engine, load: Callable[[Connection], _T]) -> _T:
    with _connected(engine) as connection, _noticing_loss(connection):
        return load(connection)


class _Unit(Generic[_T]):
    """A write unit, which is begun once."""

    def __init__(self, work: Callable[[Connection], _T]) -> None:
        self._work = work
        self.has_begun = False

    def carry_out(self, engine: Engine) -> _T:
        # The loss is noticed inside the transaction too, because a rollback would fail and hide its reason.
        with (
            _connected(engine) as connection,
            _noticing_loss(connection),
            _resolving(),
            connection.begin(),
            _noticing_loss(connection),
        ):
            self.has_begun = True
            return self._work(connection)


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    """Use a connection in the block.

    Raises:
        DatabaseAway: it cannot be made.
    """
    try:
        connection = engine.connect()
    except (SQLAlchemyError, psycopg.Error, StoreUnusable) as error:
        raise DatabaseAway(_reason(error)) from error
    with connection:
        yield connection


@contextmanager
def _noticing_loss(connection: Connection) -> Iterator[None]:
    """Drop the connection if it is lost at the end of the block.

    Raises:
        DatabaseAway: the connection was lost, or the database does not answer.
    """
    driver = connection.connection.driver_connection
    try:
        yield
    except DatabaseAway:
        raise
    except Exception as error:
        if not (isinstance(driver, BoundedConnection) and driver.closed):
            raise
        connection.invalidate(error)
        cause = error.orig if isinstance(error, DBAPIError) else error
        raise (DatabaseAway if isinstance(cause, NoAnswer) else _LostConnection)(_reason(error)) from error


@contextmanager
def _resolving() -> Iterator[None]:
    """Turn errors about other writers into `UnitConflict`."""
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        if isinstance(error.orig if isinstance(error, DBAPIError) else error, _CONFLICTS):
            raise UnitConflict(_reason(error)) from error
        raise


def _reason(error: BaseException) -> str:
    """Return one line without statements, values and passwords."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    primary = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
    return primary or str(cause).partition("\n")[0]
