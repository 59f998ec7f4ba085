"""A look into a database without changing it: whether a server could start on it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from realtime.backends.sql.databases import is_postgres
from realtime.backends.sql.engine import parse_url
from realtime.backends.sql.file.database_file import DatabaseFile, file_of
from realtime.backends.sql.migrate import newest_revision
from realtime.errors import StoreUnusable

__all__ = ["look_at"]

ANSWER_SECONDS = 5
_REVISION = "SELECT version_num FROM alembic_version"
_COUNTS = 'SELECT (SELECT count(*) FROM projects), (SELECT count(*) FROM "events")'


def look_at(url: str) -> str:
    """Return in words what is at `url`. Blocks.

    Raises:
        StoreUnusable: a server could not start on it.
    """
    if is_postgres(url):
        return _look_at_postgres(url)
    file = file_of(parse_url(url))
    if file is None:
        return "in memory; it ends with the server"
    if not file.exists():
        return _look_at_folder(file)
    holder = _holder_of(file)
    try:
        # Not `mode=ro`: a reader of a write-ahead log writes into its index.
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True, timeout=ANSWER_SECONDS)) as opened:
            if not opened.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return f"{file} is empty; the server makes its tables at the start"
            found = _described(opened.execute(_REVISION).fetchone(), lambda: opened.execute(_COUNTS).fetchone())
    except sqlite3.Error as error:
        raise StoreUnusable(f"{file}: {error}") from error
    return f"{file}: {found}{holder}"


def _look_at_folder(file: Path) -> str:
    if not file.parent.is_dir():
        raise StoreUnusable(f"{file}: there is no folder {file.parent}")
    if not os.access(file.parent, os.W_OK | os.X_OK):
        raise StoreUnusable(f"{file}: this user cannot make a file in {file.parent}")
    return f"{file} is not there; the server makes it at the start"


def _holder_of(file: Path) -> str:
    """Return the process that has the file, in words; empty = none."""
    try:
        DatabaseFile.claim(file, may_make=False).close()
    except StoreUnusable as error:
        if isinstance(error.__cause__, BlockingIOError):
            return f"; in use by {str(error).partition(' is in use by ')[2]}"
        raise
    return ""


def _look_at_postgres(url: str) -> str:
    try:
        import psycopg

        from realtime.backends.sql.postgres.connecting import check_url, name_of
    except ImportError as error:
        missing = "a database URL with postgresql:// needs more packages: pip install 'boardcast[postgres]'"
        raise StoreUnusable(missing) from error
    check_url(url)
    try:
        with psycopg.connect(url, connect_timeout=ANSWER_SECONDS, options="-c statement_timeout=5s") as opened:
            server = f"{name_of(url)}, PostgreSQL {opened.info.server_version // 10_000}"
            if opened.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
                return f"{server}: empty; the server makes its tables at the start"
            found = _described(opened.execute(_REVISION).fetchone(), lambda: opened.execute(_COUNTS).fetchone())
            return f"{server}: {found}"
    except psycopg.Error as error:
        raise StoreUnusable(f"{name_of(url)}: {error}") from error


def _described(row: tuple[str] | None, count: Callable[[], tuple[int, int] | None]) -> str:
    """Return the contents in words; `count` reads the numbers of boards and events.

    Raises:
        StoreUnusable: the tables are those of a newer version.
    """
    ours = newest_revision()
    if row is None:
        return "empty; the server makes its tables at the start"
    (found,) = row
    if found > ours:
        raise StoreUnusable(f"its tables have the revision {found}, and this version knows those up to {ours}")
    if found < ours:
        return f"revision {found}; the server migrates it to {ours} at the start"
    boards, events = count() or (0, 0)
    return f"{boards} boards, {events} events"
