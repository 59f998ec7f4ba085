"""Connections to PostgreSQL: the URL, one connection, and engines of them.

libpq reads the URL, so each of its options works, and its variables, services and password files too
(https://www.postgresql.org/docs/current/libpq-connect.html).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import JsonLoader
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from realtime.backends.sql.postgres.adapters import JsonTextLoader, adapters_map
from realtime.errors import StoreUnusable

__all__ = [
    "EXAMPLE",
    "BoundedConnection",
    "NoAnswer",
    "check_url",
    "connect_options",
    "for_migrations",
    "make_engine",
    "name_of",
]

EXAMPLE: Final = "postgresql://user@host/name?sslmode=verify-full"
#: The oldest version of the server, as libpq writes it.
OLDEST_VERSION = 130_000
#: Most seconds for one answer of the server. A server that is paused or unreachable does not close its connections.
ANSWER_SECONDS = 10.0
#: Most seconds for a new connection, unless the URL or the environment has another number.
CONNECT_SECONDS = 5
#: Statements that a connection has prepared at most; there are about 200, in some sizes each.
PREPARED_STATEMENTS = 500


class NoAnswer(psycopg.OperationalError):
    """The server did not answer in time; the connection is closed."""


class _ServerCursor(psycopg.ServerCursor[Any]):
    """A cursor that is gone with its connection. SQLAlchemy does not close the cursors of a lost one."""

    def __del__(self, *arguments: Any) -> None:
        """Warn about a cursor that was forgotten, as psycopg does."""
        if not self.connection.closed:
            super().__del__(*arguments)


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that waits a limited time for each answer."""

    #: Most seconds for one answer; None = no limit.
    answer_seconds: float | None = None

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the end of `gen`; see `psycopg.Connection.wait`.

        Raises:
            NoAnswer: it takes longer than `answer_seconds`.
        """
        limit = self.answer_seconds if timeout is None else timeout
        began = time.monotonic()
        try:
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError as error:
            if limit is None or time.monotonic() - began < limit:
                raise
            self.pgconn.finish()  # an answer that comes later would be taken for that to the next statement
            raise NoAnswer(f"the server did not answer within {limit:g} s") from error


@contextmanager
def for_migrations(driver: object) -> Iterator[None]:
    """Let a connection wait for answers without a limit in the block, and read JSON as SQLAlchemy's inspection does."""
    if not isinstance(driver, BoundedConnection):
        raise TypeError(f"expected a connection of `make_engine`, got {driver!r}")
    usual, driver.answer_seconds = driver.answer_seconds, None
    driver.adapters.register_loader("json", JsonLoader)
    try:
        yield
    finally:
        driver.adapters.register_loader("json", JsonTextLoader)
        driver.answer_seconds = usual


def check_url(url: str) -> None:
    """Return if libpq can read the URL.

    Raises:
        StoreUnusable: it cannot. The message has nothing of the URL, because the password may be anywhere in it.
    """
    try:
        options = conninfo_to_dict(url)
    except psycopg.Error:
        options = {"port": "wrong"}
    # Parts of a password with `@`, `:` or `/` that is not percent-encoded; libpq would name them when it connects.
    ports, host = str(options.get("port") or ""), str(options.get("host") or "")
    if "@" in host or not f"0{ports.replace(',', '')}".isdecimal():
        raise StoreUnusable(f"expected a database URL like {EXAMPLE}, as libpq reads it, got another one")


def name_of(url: str) -> str:
    """Return the name of the database and its host, for messages."""
    options = conninfo_to_dict(url)
    host = options.get("host") or options.get("hostaddr")
    return f"{options.get('dbname') or ''} at {host or 'the default host'}".strip()


def make_engine(url: str, *, connections: int, begin: str, prepare: Callable[[BoundedConnection], None]) -> Engine:
    """Make an engine of at most `connections`, whose transactions start with the statement `begin`.

    `prepare` is called with each new connection, and may refuse it by an exception.
    """
    options = connect_options(url)

    def connect() -> BoundedConnection:
        made = BoundedConnection.connect(url, autocommit=True, context=adapters_map(), **options)
        try:
            made.answer_seconds = ANSWER_SECONDS
            made.prepared_max = PREPARED_STATEMENTS
            made.server_cursor_factory = _ServerCursor
            _check_server(made)
            prepare(made)
        except BaseException:
            made.close()
            raise
        return made

    engine = create_engine(
        "postgresql+psycopg://",
        creator=connect,
        # The texts of `prepared` have parameters by their place.
        paramstyle="format",
        use_native_hstore=False,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def connect_options(url: str) -> dict[str, Any]:
    """Return the options that a connection has, unless the URL or the environment has others."""
    made: dict[str, Any] = {"client_encoding": "utf8", "fallback_application_name": "boardcast"}
    if "connect_timeout" not in conninfo_to_dict(url) and "PGCONNECT_TIMEOUT" not in os.environ:
        made["connect_timeout"] = CONNECT_SECONDS
    return made


def _check_server(made: BoundedConnection) -> None:
    version = made.info.server_version
    if version < OLDEST_VERSION:
        oldest = OLDEST_VERSION // 10_000
        raise StoreUnusable(f"expected PostgreSQL {oldest} or newer, got {version // 10_000}.{version % 10_000}")
    encoding = made.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreUnusable(f"expected a database with the encoding UTF8, got {encoding}")
