"""Opening the database: engines, pragmas, migrations, and what to say when it does not open."""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from importlib import resources
from typing import Any, cast
from urllib.parse import parse_qsl

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from realtime.backends.sql.file.file_guard import KEPT_LOG_BYTES
from realtime.errors import StoreUnusable, quoted

__all__ = ["make_engine", "migrate", "open_all", "parse_url"]

BUSY_MILLISECONDS = 5000
#: A URL begins with one of these: the documented one, and the one that earlier versions documented.
DRIVERS = ("sqlite", "sqlite+aiosqlite")
#: SQLite's modes of opening a file, which a URL with `uri=true` may name (https://sqlite.org/uri.html).
MODES = ("ro", "rw", "rwc", "memory")
#: What stands for the driver of the URL: the module of the standard library, in threads of `sqlite.Sqlite`.
SYNCHRONOUS = "sqlite+pysqlite"
EXAMPLE = "sqlite:///./boardcast.db"


def parse_url(text: str) -> URL:
    """Read a database URL.

    Raises:
        StoreUnusable: it is no URL, or names a database this version does not speak.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise StoreUnusable(f"expected a database URL like {EXAMPLE}, got {text!r}") from error
    if url.drivername not in DRIVERS:
        raise StoreUnusable(f"expected a database URL that begins with {DRIVERS[0]}://, got {url.drivername}://")
    if url.host or url.port or url.username:
        raise StoreUnusable(f"expected a database URL with three slashes before the path, like {EXAMPLE}, got {text!r}")
    _check_options(text.partition("?")[2])
    return url


def _check_options(query: str) -> None:
    """Refuse what would be dropped in silence: the rest of a file's name whose `?` is not written `%3F`."""
    found = parse_qsl(query, keep_blank_values=True)
    known = {"uri": ("true",), "mode": MODES} if ("uri", "true") in found else {}
    for name, value in found:
        if value not in known.get(name, ()):
            raise StoreUnusable(
                f"expected a database URL without options, got {quoted(f'?{query}')}; in a path ? is %3F"
            )


def make_engine(url: URL, *, connections: int, immediate: bool, only_reads: bool = False) -> Engine:
    """Make an engine of at most `connections`; `immediate` ones begin as writers, so they never meet half way.

    One that `only_reads` leaves even the header as it is.
    """
    engine = create_engine(url.set(drivername=SYNCHRONOUS), poolclass=QueuePool, pool_size=connections, max_overflow=0)
    event.listen(engine, "connect", _prepare_reading if only_reads else _prepare)
    begin = "BEGIN IMMEDIATE" if immediate else "BEGIN"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def open_all(engine: Engine) -> None:
    """Open all connections that the engine may have, each with its files, so that none wants a descriptor later.

    Raises:
        SQLAlchemyError, sqlite3.Error: a file could not be opened or read.
    """
    with ExitStack() as stack:
        pool = cast("QueuePool", engine.pool)  # `make_engine` has chosen it
        for _ in range(pool.size()):
            connection = stack.enter_context(closing(engine.raw_connection()))
            connection.cursor().execute("SELECT count(*) FROM sqlite_master").fetchall()


def _prepare_reading(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_MILLISECONDS}", "query_only=1", "mmap_size=0", "temp_store=MEMORY"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare(connection: Any, _: Any) -> None:
    # sqlite3's own transaction control begins late and commits early; ours is explicit.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MILLISECONDS}",
        # Readers do not wait for the writer, nor it for them.
        "journal_mode=WAL",
        # With WAL a commit survives the death of the process; only a power cut may undo the last ones.
        "synchronous=NORMAL",
        # Whatever is cut off a file that is mapped ends the process that reads there (SIGBUS).
        "mmap_size=0",
        # No files beside ours: they would want descriptors at a time when there may be none.
        "temp_store=MEMORY",
        # `checkpoints` makes them, and `sqlite` where that cannot keep up: what writes into the file is known.
        "wal_autocheckpoint=0",
        f"journal_size_limit={KEPT_LOG_BYTES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def migrate(engine: Engine) -> None:
    """Bring the tables up to date.

    Raises:
        StoreUnusable: the file cannot be opened or is no database of ours.
    """
    try:
        with engine.begin() as connection:
            _upgrade(connection)
    # CommandError: the tables are of a newer version.
    except (SQLAlchemyError, CommandError, sqlite3.Error, OSError) as error:
        reason = getattr(error, "orig", None) or error
        raise StoreUnusable(f"cannot open the database {engine.url.database}: {reason}") from error


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(resources.files("realtime.backends.sql") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
