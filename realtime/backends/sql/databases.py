"""The databases of the SQL store, and the choice of one by its URL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from realtime.backends.sql.engine import parse_url
from realtime.backends.sql.file.mending import Fingerprint
from realtime.backends.sql.sqlite import Sqlite
from realtime.backends.sql.writing.heads import Heads
from realtime.errors import StoreUnavailable, StoreUnusable, UnitConflict

__all__ = ["Database", "database_at", "is_postgres", "reporting"]

#: Schemes of libpq's URLs.
POSTGRES_SCHEMES = ("postgresql", "postgres")
_T = TypeVar("_T")
# Errors of a database that does not answer, cannot write or is damaged. Prepared statements raise the driver's own
# errors. Invalid JSON means damage, because the store itself wrote it.
_AWAY = (DBAPIError, PoolTimeout, OSError, orjson.JSONDecodeError)


class Database(Protocol):
    """A database that reads and writes in threads of its own. Call `open` before use, `aclose` after."""

    @property
    def away(self) -> tuple[type[Exception], ...]:
        """The driver's errors when the database does not answer, cannot write or is damaged."""

    @property
    def ours(self) -> tuple[type[Exception], ...]:
        """The driver's errors about a wrong statement or value, which are bugs of this program."""

    @property
    def waits(self) -> int:
        """Calls that had to wait for a connection."""

    def heads(self, connection: Connection) -> Heads:
        """Return the heads of a write unit on `connection`."""

    def continue_numbers(self, connection: Connection) -> None:
        """Let the database number new rows after the rows that were written with their numbers."""

    async def open(self) -> None:
        """Open the database and bring its tables to the newest version.

        Raises:
            StoreUnusable: the database cannot be opened, or another process has it.
        """

    async def aclose(self) -> None:
        """Close all connections once their threads have finished; twice is allowed."""

    async def read(self, load: Callable[[Connection], _T]) -> _T:
        """Return the result of `load`, called in a thread with a connection that sees one moment.

        Raises:
            TimeoutError: no connection became free in time.
        """

    async def write(self, work: Callable[[Connection], _T]) -> _T:
        """Return the result of `work`, called in a thread with the writing connection; commit unless it raises.

        Raises:
            TimeoutError: other writes took too long.
            UnitConflict: another writer was faster; nothing was written.
        """


def is_postgres(url: str) -> bool:
    """Whether `url` names a database of PostgreSQL, by its scheme."""
    return url.partition("://")[0] in POSTGRES_SCHEMES


def database_at(url: str, *, exclusive: bool, fingerprint: Fingerprint) -> Database:
    """Return the database at `url`, not opened yet.

    `exclusive`: no other process may serve it. `fingerprint` identifies a file that was away.

    Raises:
        StoreUnusable: `url` is no URL, or names a database that this version does not support.
    """
    if is_postgres(url):
        return _postgres(url, exclusive=exclusive)
    return Sqlite(parse_url(url), exclusive=exclusive, fingerprint=fingerprint)


@contextmanager
def reporting(database: Database) -> Iterator[None]:
    """Turn errors of an unavailable database into `StoreUnavailable`."""
    try:
        yield
    except UnitConflict:
        raise
    except Exception as error:
        # A wrong statement or value is a bug of this program; the error stays as it is.
        if isinstance(error, (ProgrammingError, *database.ours)) or not isinstance(error, (*_AWAY, *database.away)):
            raise
        # Only the driver's part of SQLAlchemy's errors: the rest is the statement with its values.
        raise StoreUnavailable(str(getattr(error, "orig", None) or error)) from error


def _postgres(url: str, *, exclusive: bool) -> Database:
    try:
        from realtime.backends.sql.postgres.postgres import Postgres
    except ImportError as error:  # the driver, or the library of PostgreSQL that it needs
        missing = "a database URL with postgresql:// needs more packages: pip install 'boardcast[postgres]'"
        raise StoreUnusable(missing) from error
    return Postgres(url, exclusive=exclusive)
