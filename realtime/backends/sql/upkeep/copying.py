"""Copies a whole installation into an empty database, of the same kind or another one.

All rows are copied as they are, with the epoch. So cursors, offsets, idempotency keys and tokens stay valid.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, func, insert, select, tuple_

from realtime.backends.sql.databases import Database, database_at, is_postgres, reporting
from realtime.backends.sql.engine import parse_url
from realtime.backends.sql.file.database_file import file_of
from realtime.backends.sql.tables import attempt_counts, events, meta, metadata, projects
from realtime.backends.sql.writing.node_rows import nodes
from realtime.errors import StoreUnusable

__all__ = ["COPIED", "check_source", "copy_installation", "has_history", "open_databases", "pieces"]

#: Rows that are read and written at a time.
PIECE_ROWS = 500
_T = TypeVar("_T")
#: The triggers of both databases count the copied attempts, and no node of one database serves the other.
COPIED = [table for table in metadata.sorted_tables if table not in (attempt_counts, nodes)]


async def copy_installation(source: str, target: str) -> tuple[int, int]:
    """Copy the database at one URL into the empty one at another; return the numbers of boards and events.

    Both are brought to the newest version. The copy is written in one transaction: as a whole, or not at all.

    Raises:
        StoreUnusable: a database cannot be opened, a server has it, or the target is not empty.
        StoreUnavailable: a database went away, or cannot be written.
    """
    check_source(source, "--from")
    async with open_databases(source, target) as (one, other):
        return await _copy(one, other)


def check_source(url: str, flag: str) -> None:
    """Check that a file exists: opening would make it, so a mistyped path would leave an empty one behind.

    Raises:
        StoreUnusable: it does not; `flag` names the setting.
    """
    file = None if is_postgres(url) else file_of(parse_url(url))
    if file is not None and not file.exists():
        raise StoreUnusable(f"{flag}: expected a database that a server has used, but there is no file {file}")


@asynccontextmanager
async def open_databases(*urls: str) -> AsyncIterator[list[Database]]:
    """Open databases for this process alone, and bring them to the newest version; close them when the block ends.

    Raises:
        StoreUnusable: one cannot be opened, or a server has it.
    """
    opened: list[Database] = []
    try:
        for url in urls:
            database = database_at(url, exclusive=True, fingerprint=lambda _: None)
            opened.append(database)
            await database.open()
        yield opened
    finally:
        for database in reversed(opened):
            await database.aclose()


async def _copy(source: Database, target: Database) -> tuple[int, int]:
    loop = asyncio.get_running_loop()

    async def read(load: Callable[[Connection], _T]) -> _T:
        with reporting(source):
            return await source.read(load)

    if not await read(has_history):
        raise StoreUnusable("--from: expected a database that a server has used, got an empty one")

    def copy(connection: Connection) -> tuple[int, int]:
        """Write all rows, in the thread of the target; those of the source come from a thread of its own."""
        if has_history(connection):
            raise StoreUnusable("--to: expected an empty database, got one that a server has used")
        for table in COPIED:
            last: tuple[Any, ...] | None = None
            while True:
                reading = read(lambda reader, table=table, last=last: _piece(reader, table, last))  # type: ignore[misc]  # mypy infers no type for defaults
                rows = asyncio.run_coroutine_threadsafe(reading, loop).result()
                if not rows:
                    break
                connection.execute(insert(table), rows)
                last = _key_of(table, rows[-1])
        target.continue_numbers(connection)
        counts = (select(func.count()).select_from(table) for table in (projects, events))
        boards, count = (connection.execute(query).scalar_one() for query in counts)
        return boards, count

    with reporting(target):
        return await target.write(copy)


def has_history(connection: Connection) -> bool:
    """Whether a server has used the database."""
    return connection.execute(select(func.count()).select_from(meta)).scalar_one() > 0


def pieces(
    connection: Connection, table: Table, condition: ColumnElement[bool] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table in the order of its key, those that fit `condition` only; they are read in pieces."""
    last: tuple[Any, ...] | None = None
    while rows := _piece(connection, table, last, condition):
        yield from rows
        last = _key_of(table, rows[-1])


def _key_of(table: Table, row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _piece(
    connection: Connection,
    table: Table,
    last: tuple[Any, ...] | None,
    condition: ColumnElement[bool] | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of a table behind that with the key `last`."""
    key = list(table.primary_key.columns)
    query = select(table).order_by(*key).limit(PIECE_ROWS)
    if last is not None:
        query = query.where(tuple_(*key) > last)
    if condition is not None:
        query = query.where(condition)
    return [dict(row) for row in connection.execute(query).mappings()]
