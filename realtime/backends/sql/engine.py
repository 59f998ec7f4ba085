"""Opening the database: engines, pragmas, migrations, and what to say when it does not open."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from importlib import resources
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from realtime.errors import StoreUnusable

__all__ = ["make_engine", "migrate", "parse_url"]

BUSY_MILLISECONDS = 5000
DRIVERS = ("sqlite+aiosqlite",)


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


def make_engine(url: URL, *, connections: int, immediate: bool) -> AsyncEngine:
    """Make an engine of at most `connections`; `immediate` ones begin as writers, so they never meet half way."""
    engine = create_async_engine(
        url, poolclass=AsyncAdaptedQueuePool, pool_size=connections, max_overflow=0, pool_timeout=30
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    begin = "BEGIN IMMEDIATE" if immediate else "BEGIN"
    event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
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
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def migrate(engine: AsyncEngine) -> None:
    """Bring the tables up to date.

    Raises:
        StoreUnusable: the file cannot be opened or is no database of ours.
    """
    try:
        await asyncio.to_thread(_look_into, engine)
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
    # CommandError: the tables are of a newer version.
    except (SQLAlchemyError, CommandError, sqlite3.Error, OSError) as error:
        reason = getattr(error, "orig", None) or error
        raise StoreUnusable(f"cannot open the database {engine.url.render_as_string()}: {reason}") from error


def _look_into(engine: AsyncEngine) -> None:
    # Without aiosqlite: when it cannot connect, its thread says so to a loop that is closed by then, because the
    # process ends with that error, and the traceback of that goes to standard error.
    arguments, options = engine.dialect.create_connect_args(engine.url)
    connect: Any = sqlite3.connect
    with closing(connect(*arguments, **options)) as connection:
        connection.execute("PRAGMA schema_version")


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(resources.files("realtime.backends.sql") / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
