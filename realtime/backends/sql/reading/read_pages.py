"""Pages of rows from tables that only grow: the event log, and the rows under attempts.

The cost of a page depends on its own rows, not on those before or after it. It is limited in rows and in bytes, because
one row may have a megabyte.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, Row, Select, Table, select, tuple_

from realtime.backends.sql.gathered import OneOf
from realtime.backends.sql.tables import attempts, events
from realtime.messages.channels import Channel
from realtime.ports import AttemptKey, LogEntry, LoggedEvent, Page

__all__ = [
    "PAGE_BYTES",
    "STREAMED",
    "load_event_page",
    "load_page",
    "load_pages",
    "read_item",
    "read_log_entry",
    "read_off",
    "rows_within",
]

#: Characters of text after which a page ends, regardless of its number of rows; it always has the first row.
PAGE_BYTES = 4 * 1024 * 1024
#: Options of statements whose rows may be large: a server sends some at a time. SQLite always gives one at a time.
STREAMED = {"stream_results": True, "max_row_buffer": 50}

_T = TypeVar("_T")


def rows_within(connection: Connection, query: Select[Any]) -> Iterator[Row[Any]]:
    """Yield the rows of a query until they have `PAGE_BYTES`; the remaining rows are never fetched."""
    room = PAGE_BYTES
    with closing(connection.execute(query, execution_options=STREAMED)) as rows:
        for row in rows:
            yield row
            room -= _size(row)
            if room <= 0:
                return


def load_event_page(connection: Connection, channel: Channel, after: int, limit: int) -> Page[LoggedEvent]:
    """Return the first events of a channel after an offset."""
    query = select(events).where(events.c.channel == channel, events.c.offset > after)
    page = _page(connection, query.order_by(events.c.offset).limit(limit + 1), limit)
    return Page([(offset, _logged(row)) for offset, row in page.entries], page.more)


def load_page(connection: Connection, table: Table, key: AttemptKey, after: int, limit: int) -> Page[Row[Any]]:
    """Return the first rows of an attempt after an offset, whether the attempt is known or not."""
    board_id, attempt_id = key
    query = select(table).where(table.c.board_id == board_id, table.c.attempt_id == attempt_id)
    query = query.where(table.c.offset > after).order_by(table.c.offset).limit(limit + 1)
    return _page(connection, query, limit)


def load_pages(
    connection: Connection, table: Table, keys: Collection[AttemptKey], after: int, limit: int
) -> dict[AttemptKey, Page[Row[Any]]]:
    """Return the first rows of each known attempt after an offset, all with one statement."""
    key = attempts.c["board_id", "id"]
    known = select(*key).where(tuple_(*key).in_(list(keys))).subquery()
    own = table.alias()
    page = select(own.c.sequence).where(own.c.attempt_id == known.c.id, own.c.board_id == known.c.board_id)
    page = page.where(own.c.offset > after)
    # One more row than requested shows whether there are more. A window function would number all remaining rows.
    page = page.order_by(own.c.offset).limit(limit + 1).correlate(known)
    query = (
        select(table)
        .select_from(known)
        .join(table, OneOf(table.c.sequence, page.scalar_subquery()))
        .order_by(table.c.sequence)
    )
    pages: dict[AttemptKey, _Filling] = {}
    with closing(connection.execute(query, execution_options=STREAMED)) as rows:
        for row in rows:
            pages.setdefault((row.board_id, row.attempt_id), _Filling(limit)).take(row)
    return {key: filling.page() for key, filling in pages.items()}


class _Filling:
    """A page under construction, limited in rows and to `PAGE_BYTES`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._room = PAGE_BYTES
        self._rows: list[Row[Any]] = []
        self.more = False

    def take(self, row: Row[Any]) -> None:
        """Add the next row; if the page is full, only record that there are more."""
        self.more = self.more or len(self._rows) >= self._limit or self._room <= 0
        if not self.more:
            self._rows.append(row)
            self._room -= _size(row)

    def page(self) -> Page[Row[Any]]:
        """Return the page; each row comes with its offset."""
        return Page([(row.offset, row) for row in self._rows], self.more)


def _page(connection: Connection, query: Select[Any], limit: int) -> Page[Row[Any]]:
    filling = _Filling(limit)
    with closing(connection.execute(query, execution_options=STREAMED)) as rows:
        for row in rows:
            filling.take(row)
            if filling.more:
                break
    return filling.page()


def _size(row: Row[Any]) -> int:
    return sum(len(value) for value in row if isinstance(value, str | bytes))


def _logged(row: Row[Any]) -> LoggedEvent:
    return LoggedEvent(row.offset, row.global_offset, row.name, orjson.loads(row.payload), row.at)


def read_off(page: Page[Any], read: Callable[[Any], _T]) -> Page[_T]:
    """Return a page of what `read` makes of each row."""
    return Page([(place, read(row)) for place, row in page.entries], page.more)


def read_item(row: Any) -> dict[str, Any]:
    """Return a conversation item."""
    item: dict[str, Any] = orjson.loads(row.item)
    return item


def read_log_entry(row: Any) -> LogEntry:
    """Return a line of the log of an attempt."""
    return LogEntry(row.board_id, row.attempt_id, row.offset, row.ts, row.level, row.message)
