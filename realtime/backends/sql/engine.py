"""Opening the database: engines, pragmas, migrations, and what to say when it does not open."""

from __future__ import annotations

import sqlite3
from importlib import resources
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from realtime.errors import StoreUnusable

__all__ = ["make_engine", "migrate", "parse_url"]

BUSY_MILLISECONDS = 5000
#: So much of the file is read where it lies in the system's memory: pages that SQLite's own cache, of 2 MB and emptied
#: by each commit of another connection, would fetch again and again. It takes address space, not memory.
MAPPED_BYTES = 1 << 30
#: Pages in the write-ahead log after which a commit makes a checkpoint itself, and waits for the disk: 64 MiB, to be
#: reached where `checkpoints` cannot keep up.
LOGGED_PAGES = 16_384
DRIVERS = ("sqlite+aiosqlite",)
#: What stands for the driver of the URL: the module of the standard library, in threads of `sqlite.Sqlite`.
SYNCHRONOUS = "sqlite+pysqlite"


def parse_url(text: str) -> URL:
    """Read a database URL.

    Raises:
        StoreUnusable: it is no URL, or names a database this version does not speak.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise StoreUnusable(f"expected a database URL like sqlite+aiosqlite:///./boardcast.db, got {text!r}") from error
    if url.drivername not in DRIVERS:
        raise StoreUnusable(f"expected a database URL that begins with {DRIVERS[0]}://, got {url.drivername}://")
    return url


def make_engine(url: URL, *, connections: int, immediate: bool) -> Engine:
    """Make an engine of at most `connections`; `immediate` ones begin as writers, so they never meet half way."""
    engine = create_engine(url.set(drivername=SYNCHRONOUS), poolclass=QueuePool, pool_size=connections, max_overflow=0)
    event.listen(engine, "connect", _prepare)
    begin = "BEGIN IMMEDIATE" if immediate else "BEGIN"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


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
        f"mmap_size={MAPPED_BYTES}",
        f"wal_autocheckpoint={LOGGED_PAGES}",
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
        where = engine.url.set(drivername=DRIVERS[0]).render_as_string()
        raise StoreUnusable(f"cannot open the database {where}: {reason}") from error


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(resources.files("realtime.backends.sql") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
