"""A copy of a SQLite file while a server writes to it, by SQLite's online backup (https://sqlite.org/backup.html)."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from realtime.backends.sql.databases import is_postgres
from realtime.backends.sql.engine import parse_url
from realtime.backends.sql.file.database_file import FILE_MODE, file_of
from realtime.errors import StoreUnavailable, StoreUnusable

__all__ = ["back_up"]

#: Seconds for a lock of another process.
LOCK_SECONDS = 10.0


def back_up(url: str, target: Path) -> int:
    """Write a copy of the database at `url` into the new file `target`, and check it; return its bytes. Blocks.

    The copy is that of one moment. `target` is complete, or it is not there.

    Raises:
        StoreUnusable: there is no such file, it is no SQLite database, or `target` exists or cannot be made.
        StoreUnavailable: the copy could not be written, or is not whole.
    """
    source = _file_at(url)
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    except OSError as error:
        raise StoreUnusable(f"cannot make {target}: {error.strerror or error}") from error
    try:
        _copy(source, target)
        return target.stat().st_size
    except BaseException as error:
        for name in (target, target.with_name(f"{target.name}-wal"), target.with_name(f"{target.name}-shm")):
            with suppress(OSError):
                name.unlink()
        if isinstance(error, sqlite3.Error | OSError):
            raise StoreUnavailable(f"cannot copy {source}: {error}") from error
        raise


def _file_at(url: str) -> Path:
    if is_postgres(url):
        raise StoreUnusable("a PostgreSQL database is saved by its own tools (pg_dump), not by this command")
    file = file_of(parse_url(url))
    if file is None:
        raise StoreUnusable("expected the database of a file, got one in memory")
    if not file.is_file():
        raise StoreUnusable(f"expected a database that a server has used, but there is no file {file}")
    return file


def _copy(source: Path, target: Path) -> None:
    # Not `mode=ro`: a reader of a write-ahead log writes into its index. Nothing is written to the database.
    address = f"{source.resolve().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=LOCK_SECONDS)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        # In one step, so that the pages are those of one moment; a write-ahead log lets writers go on meanwhile.
        reader.backup(writer, pages=-1)
        # The copy then is one file, whatever opens it next.
        writer.execute("PRAGMA journal_mode=DELETE")
        found = writer.execute("PRAGMA integrity_check(1)").fetchone()
    if found != ("ok",):
        raise StoreUnavailable(f"the copy {target} is not whole: {found}")
