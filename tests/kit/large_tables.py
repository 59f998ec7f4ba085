"""Fills a database directly, without its log being true: many boards, attempts, events and lines of logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Connection, Table

from realtime.backends.sql import tables
from realtime.backends.sql.prepared import Addition
from realtime.backends.sql.store import SqlStore
from realtime.global_ids import tag_of
from realtime.kanban.ids import BoardId, ColumnId
from realtime.messages.channels import board_channel

__all__ = ["BOARD", "FEW", "LAST", "MANY", "Rows", "column_of", "fill"]

#: A board with everything.
BOARD = BoardId("b0")
#: The time of the newest row.
LAST = datetime(2025, 6, 1, tzinfo=UTC)
_LAST_MS = tables.milliseconds(LAST)
_AT_ONCE = 20_000
_AGENTS = 5
_STATUSES = ("succeeded", "failed", "running", "stopped")


@dataclass(frozen=True)
class Rows:
    """The numbers of rows."""

    boards: int
    cards_per_board: int
    attempts: int
    events: int
    lines: int


#: Enough for every statement to find something.
FEW = Rows(boards=20, cards_per_board=5, attempts=200, events=200, lines=200)
#: An installation of some years.
MANY = Rows(boards=1000, cards_per_board=30, attempts=100_000, events=1_000_000, lines=500_000)


def column_of(board_id: str, number: int) -> ColumnId:
    """Return the id of a column of a board."""
    return ColumnId(f"{board_id}-c{number}")


async def fill(store: SqlStore, rows: Rows) -> None:
    """Fill the empty tables of a store."""
    for table, (columns, made) in _made(rows).items():
        addition = Addition(table, *columns)
        source = iter(made)
        while some := list(islice(source, _AT_ONCE)):
            await store._write(_adding(addition, some))  # noqa: SLF001 - the tables themselves, not through events


def _adding(addition: Addition, some: list[tuple[Any, ...]]) -> Callable[[Connection], None]:
    return lambda connection: addition.run(connection, some)


def _made(rows: Rows) -> Mapping[Table, tuple[str, Iterable[tuple[Any, ...]]]]:
    """Return the rows of each table, with the names of their columns."""
    attempt_columns = "board_id id card_id agent status created_at updated_at started_at ended_at sequence"
    card_columns = (
        "board_id id column_id sequence title is_enhanced disable_auto_close_on_pr_merge created_at updated_at"
    )
    project_columns = "id name status repository_path ticket_prefix next_ticket_number created_at sequence"
    made: dict[Table, tuple[str, Iterable[tuple[Any, ...]]]] = {
        tables.projects: (project_columns, _projects(rows)),
        tables.board_tags: ("tag board_id", ((tag_of(one), one) for one in _boards(rows))),
        tables.channels: ("channel offset pruned", _channels(rows)),
        tables.columns: ("board_id id title position card_ids", _columns(rows)),
        tables.cards: (card_columns, _cards(rows)),
        tables.dependencies: ("board_id card_id depends_on_id position", _dependencies(rows)),
        tables.snapshots: (
            "board_id offset board",
            (
                (one, offset, "{}")
                for one in _boards(rows)[2:]
                for offset in range(200, rows.events // rows.boards, 200)
            ),
        ),
        tables.gone_attempts: (
            "board_id attempt_id sequence",
            ((one, f"gone{number}", number) for one in _boards(rows) for number in range(20)),
        ),
        tables.attempts: (attempt_columns, _attempts(rows)),
        tables.sessions: ("board_id attempt_id session_id", ((*one, "s") for one in _keys(rows))),
        tables.todos: ("board_id attempt_id todos", ((*one, "{}") for one in _keys(rows))),
        tables.events: ("channel offset global_offset name payload at recorded_at superseded", _events(rows)),
        tables.logs: ("board_id attempt_id offset ts level message", _lines(rows)),
        tables.conversation: ("board_id attempt_id offset item", ((*one[:3], "{}") for one in _lines(rows))),
        tables.request_keys: (
            "scope subject key fingerprint channel after offset global_offset",
            (
                (channel, "me", f"{channel} {offset}", b"", channel, offset - 1, offset, 0)
                for channel, offset, *_ in _events(rows)
            ),
        ),
    }
    return {table: (columns.split(), some) for table, (columns, some) in made.items()}  # type: ignore[misc]


def _boards(rows: Rows) -> list[BoardId]:
    return [BoardId(f"b{number}") for number in range(rows.boards)]


def _time(number: int, of: int) -> int:
    """Return the time of a row; the rows are spread over 90 days."""
    return _LAST_MS - 90 * 86_400_000 * (of - number) // of


def _projects(rows: Rows) -> Iterator[tuple[Any, ...]]:
    for number, board in enumerate(_boards(rows)):
        yield board, f"Board {number}", "active", "/r", "AB", 1, _time(number, rows.boards), number


def _channels(rows: Rows) -> Iterator[tuple[Any, ...]]:
    yield "*", 0, 0
    for board in _boards(rows):
        yield board_channel(board), rows.events // rows.boards, 0


def _columns(rows: Rows) -> Iterator[tuple[Any, ...]]:
    for number, board in enumerate(_boards(rows)):
        for place in range(4):
            cards = [f"k{number}-{card}" for card in range(place, rows.cards_per_board, 4)]
            yield board, column_of(board, place), f"Column {place}", place, orjson.dumps(cards).decode()


def _cards(rows: Rows) -> Iterator[tuple[Any, ...]]:
    for number, board in enumerate(_boards(rows)):
        for card in range(rows.cards_per_board):
            at = _time(number, rows.boards)
            yield board, f"k{number}-{card}", column_of(board, card % 4), card, "Title", False, False, at, at


def _dependencies(rows: Rows) -> Iterator[tuple[Any, ...]]:
    for number, board in enumerate(_boards(rows)):
        for card in range(1, rows.cards_per_board):
            yield board, f"k{number}-{card}", f"k{number}-0", 0


def _keys(rows: Rows) -> Iterator[tuple[str, str]]:
    for number in range(rows.attempts):
        yield f"b{number % rows.boards}", f"a{number}"


def _attempts(rows: Rows) -> Iterator[tuple[Any, ...]]:
    for number, (board, attempt) in enumerate(_keys(rows)):
        at = _time(number, rows.attempts)
        card = f"k{number % rows.boards}-{number // rows.boards % rows.cards_per_board}"
        status = _STATUSES[number % len(_STATUSES)] if number > rows.attempts * 0.99 else _STATUSES[number % 2]
        ended = None if status == "running" else at + 60_000
        yield board, attempt, card, f"AGENT{number % _AGENTS}", status, at, at + 60_000, at, ended, number


def _events(rows: Rows) -> Iterator[tuple[Any, ...]]:
    for number in range(rows.events):
        channel, at = board_channel(BoardId(f"b{number % rows.boards}")), _time(number, rows.events)
        offset = number // rows.boards + 1
        yield channel, offset, 0, "git.status.changed", '{"projectId":"b0"}', at, at, False


def _lines(rows: Rows) -> Iterator[tuple[Any, ...]]:
    for number in range(rows.lines):
        attempt = number % rows.attempts
        level = "error" if number % 50 == 0 else "info"
        yield f"b{attempt % rows.boards}", f"a{attempt}", number, _time(number, rows.lines), level, "a line of the log"
