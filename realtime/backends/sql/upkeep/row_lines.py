"""Rows as JSON lines: an installation, or one board without its log, for another database or for people.

The first line says what follows: `{"boardcast": "installation" | "board", "revision", "board"?}`. Each other line is
one row: `{"table", "row"}`. The last line, `{"rows"}`, is their number: without it the end was cut off. Times are RFC
3339 texts, bytes are in base64. A board comes without its event log, because offsets and idempotency keys belong to its
installation.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select
from sqlalchemy.types import LargeBinary

from realtime.backends.sql.databases import Database, database_at, reporting
from realtime.backends.sql.migrate import newest_revision
from realtime.backends.sql.reading.read_boards import load_board
from realtime.backends.sql.tables import (
    Instant,
    attempts,
    channels,
    events,
    meta,
    metadata,
    projects,
    request_keys,
    snapshots,
)
from realtime.backends.sql.upkeep.copying import COPIED, check_source, has_history, open_databases, pieces
from realtime.clock import iso, parse_iso
from realtime.errors import StoreUnusable, quoted
from realtime.kanban.board import board_to_json
from realtime.kanban.ids import BoardId
from realtime.messages.channels import Channel, board_channel

__all__ = ["MAX_LINE_BYTES", "export_lines", "import_lines"]

#: A line holds one row. The largest are snapshots, which hold a whole board.
MAX_LINE_BYTES = 64 * 1024 * 1024
#: Rows that are written at a time.
PIECE_ROWS = 500
INSTALLATION, BOARD = "installation", "board"
#: Tables whose rows a board has besides its project.
_OF_BOARDS = [table for table in COPIED if "board_id" in table.c and table is not snapshots]


async def export_lines(url: str, board_id: str | None, write: Callable[[bytes], object]) -> int:
    """Call `write` with each line, in a thread, and return the number of rows. The rows are those of one moment.

    Raises:
        StoreUnusable: the database cannot be opened, a server has it, or there is no such board.
        StoreUnavailable: the database went away.
    """
    check_source(url, "--database-url")
    async with open_databases(url) as (database,):

        def export(connection: Connection) -> int:
            """Write all lines."""
            if board_id is not None and load_board(connection, BoardId(board_id)) is None:
                raise StoreUnusable(f"expected the id of a board, there is none with the id {quoted(board_id)}")
            write(_line(_head(board_id)))
            count = 0
            for table, condition in _selected(board_id):
                for row in pieces(connection, table, condition):
                    write(_line({"table": table.name, "row": _plain(table, row)}))
                    count += 1
            write(_line({"rows": count}))
            return count

        with reporting(database):
            return await database.read(export)


async def import_lines(url: str, lines: Iterable[bytes]) -> tuple[str, int]:
    """Write the rows of `lines`, all or none; return what they are in words, and the number of rows.

    Raises:
        StoreUnusable: a line does not fit, the database cannot be opened, or it has already what comes.
        StoreUnavailable: the database went away, or cannot be written.
    """
    database = database_at(url, exclusive=True, fingerprint=lambda _: None)
    numbered = enumerate(lines, 1)
    try:
        head = _parsed_head(numbered)
        await database.open()
        with reporting(database):
            return await database.write(lambda connection: _import(database, connection, head, numbered))
    finally:
        await database.aclose()


def _head(board_id: str | None) -> dict[str, str]:
    head = {"boardcast": INSTALLATION if board_id is None else BOARD, "revision": newest_revision()}
    return head if board_id is None else {**head, "board": board_id}


def _selected(board_id: str | None) -> Iterator[tuple[Table, ColumnElement[bool] | None]]:
    if board_id is None:
        yield from ((table, None) for table in COPIED)
        return
    yield projects, projects.c.id == board_id
    yield channels, channels.c.channel == board_channel(BoardId(board_id))
    yield from ((table, table.c.board_id == board_id) for table in _OF_BOARDS)


def _line(content: Mapping[str, Any]) -> bytes:
    return orjson.dumps(content) + b"\n"


def _plain(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    # The names of SQLAlchemy are texts of a class of its own.
    return {f"{name}": _encoded(value) for name, value in row.items()}


def _encoded(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _parsed_head(numbered: Iterator[tuple[int, bytes]]) -> Mapping[str, Any]:
    _, line = next(numbered, (1, b""))
    head = _parsed(1, line)
    if head.get("boardcast") not in (INSTALLATION, BOARD):
        raise StoreUnusable('line 1: expected what follows, as {"boardcast":"installation",…}, got something else')
    if head.get("revision") != newest_revision():
        raise StoreUnusable(
            f"line 1: expected rows of the revision {newest_revision()}, got {quoted(str(head.get('revision')))}; "
            "import them with the version that exported them"
        )
    return head


def _parsed(number: int, line: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise StoreUnusable(f"line {number}: expected JSON of at most {MAX_LINE_BYTES} bytes: {error}") from None
    if not isinstance(found, dict):
        raise StoreUnusable(f"line {number}: expected an object, got {type(found).__name__}")
    return found


def _import(
    database: Database, connection: Connection, head: Mapping[str, Any], numbered: Iterator[tuple[int, bytes]]
) -> tuple[str, int]:
    """Write all rows, in the thread of the database."""
    rows = _rows((number, _parsed(number, line)) for number, line in numbered if line.strip())
    if head["boardcast"] == INSTALLATION:
        if has_history(connection):
            raise StoreUnusable("expected an empty database, got one that a server has used")
        count = _write(connection, rows, {table.name for table in COPIED})
        if not has_history(connection):
            raise StoreUnusable(f"expected the rows of an installation, but none of the table {meta.name} came")
        database.continue_numbers(connection)
        return "an installation", count
    board_id = head.get("board")
    if not isinstance(board_id, str):
        raise StoreUnusable('line 1: expected the id of the board under "board"')
    return _import_board(connection, BoardId(board_id), rows)


def _rows(found: Iterable[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[int, Table, dict[str, Any]]]:
    """Yield the rows; the last line must have their number."""
    count = None
    for place, (number, content) in enumerate(found):
        if count is not None:
            raise StoreUnusable(f"line {number}: expected nothing behind the line with the number of rows, got a line")
        if "rows" not in content:
            yield _row(number, content)
            continue
        count = content["rows"]
        if count != place:
            raise StoreUnusable(f"line {number}: expected {quoted(str(count))} rows, got {place}; a part is missing")
    if count is None:
        raise StoreUnusable('expected {"rows"} with their number as the last line, got none; the end was cut off')


def _row(number: int, found: Mapping[str, Any]) -> tuple[int, Table, dict[str, Any]]:
    table, row = metadata.tables.get(str(found.get("table"))), found.get("row")
    if table is None or not isinstance(row, dict):
        raise StoreUnusable(f'line {number}: expected {{"table","row"}} with a known table, got something else')
    unknown = sorted(row.keys() - table.c.keys())
    if unknown:
        raise StoreUnusable(f"line {number}: {table.name} has no column {quoted(unknown[0])}")
    try:
        return number, table, {name: _decoded(table, name, value) for name, value in row.items()}
    except (ValueError, TypeError, binascii.Error) as error:
        raise StoreUnusable(f"line {number}: a value does not fit {table.name}: {error}") from None


def _decoded(table: Table, name: str, value: Any) -> Any:
    kind = table.c[name].type
    if value is None:
        return None
    if isinstance(kind, Instant):
        return parse_iso(value)
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value, validate=True)
    if not isinstance(value, kind.python_type):
        raise ValueError(f"{name}: expected {kind.python_type.__name__}, got {type(value).__name__}")
    return value


def _write(connection: Connection, rows: Iterable[tuple[int, Table, dict[str, Any]]], allowed: Iterable[str]) -> int:
    count = 0
    names = frozenset(allowed)
    # One statement for rows of one table with the same columns.
    for (table, _), some in groupby(rows, key=lambda one: (one[1], frozenset(one[2]))):
        piece: list[dict[str, Any]] = []
        for number, _, row in some:
            if table.name not in names:
                raise StoreUnusable(f"line {number}: {table.name} is no table of this export")
            piece.append(row)
            count += 1
            if len(piece) == PIECE_ROWS:
                connection.execute(insert(table), piece)
                piece = []
        if piece:
            connection.execute(insert(table), piece)
    return count


def _import_board(
    connection: Connection, board_id: BoardId, rows: Iterable[tuple[int, Table, dict[str, Any]]]
) -> tuple[str, int]:
    if not has_history(connection):
        raise StoreUnusable("a board needs a database that a server has used, got an empty one")
    if load_board(connection, board_id) is not None:
        raise StoreUnusable(f"expected a database without the board {quoted(board_id)}, got one that has it")
    channel = board_channel(board_id)
    offsets: list[int] = [0]
    known = {projects.name, channels.name, *(table.name for table in _OF_BOARDS)}
    count = _write(connection, _renumbered(connection, board_id, channel, rows, offsets), known)
    if load_board(connection, board_id) is None:
        raise StoreUnusable(f"expected the rows of the board {quoted(board_id)}, but none of the table projects came")
    _cut_log(connection, board_id, channel, max(offsets))
    return f"the board {quoted(board_id)}", count


def _renumbered(
    connection: Connection,
    board_id: BoardId,
    channel: Channel,
    rows: Iterable[tuple[int, Table, dict[str, Any]]],
    offsets: list[int],
) -> Iterator[tuple[int, Table, dict[str, Any]]]:
    """Yield the rows with the numbers of this database; those of the log's head go to `offsets` instead."""
    last = {one.name: connection.scalar(select(func.max(one.c.sequence))) or 0 for one in (projects, attempts)}
    for number, table, row in rows:
        if str(row.get("board_id", row.get("id") if table is projects else board_id)) != board_id:
            raise StoreUnusable(f"line {number}: expected a row of the board {quoted(board_id)}, got another one")
        if table is channels:
            if row.get("channel") != channel:
                raise StoreUnusable(f"line {number}: expected the channel of the board, got another one")
            offsets.append(int(row.get("offset") or 0))
            continue
        if table.name in last:
            last[table.name] += 1
            row["sequence"] = last[table.name]
        elif table.autoincrement_column is not None:
            row.pop("sequence", None)  # the database numbers them in the order in which they come
        yield number, table, row


def _cut_log(connection: Connection, board_id: BoardId, channel: Channel, exported: int) -> None:
    """Begin the board's log anew, behind every offset that a client may know."""
    known = connection.scalar(select(channels.c.offset).where(channels.c.channel == channel)) or 0
    head = max(known, exported) + 1
    connection.execute(delete(events).where(events.c.channel == channel))
    connection.execute(delete(request_keys).where(request_keys.c.channel == channel))
    connection.execute(delete(snapshots).where(snapshots.c.board_id == board_id))
    connection.execute(delete(channels).where(channels.c.channel == channel))
    connection.execute(insert(channels).values(channel=channel, offset=head, pruned=head))
    stored = load_board(connection, board_id)
    if stored is not None:
        text = board_to_json(stored.board).decode()
        connection.execute(insert(snapshots).values(board_id=board_id, offset=head, board=text))
