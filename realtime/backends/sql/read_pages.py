"""Rows that only grow → pages of them: the event log, and what is kept under attempts.

A page costs what it holds, not what lies before or behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Table, select, tuple_

from realtime.backends.sql.tables import attempts, events
from realtime.channels import Channel
from realtime.ports import AttemptKey, LoggedEvent, Page

__all__ = ["load_event_page", "load_page", "load_pages"]


def load_event_page(connection: Connection, channel: Channel, after: int, limit: int) -> Page[LoggedEvent]:
    """Return the first events behind an offset of a channel."""
    query = select(events).where(events.c.channel == channel, events.c.offset > after)
    rows = list(connection.execute(query.order_by(events.c.offset).limit(limit + 1)))
    return Page([(row.offset, _logged(row)) for row in rows[:limit]], len(rows) > limit)


def load_page(connection: Connection, table: Table, key: AttemptKey, after: int, limit: int) -> Page[Row[Any]]:
    """Return the first rows behind a `sequence` of those under an attempt's id, whether it is known or not."""
    board_id, attempt_id = key
    query = select(table).where(table.c.board_id == board_id, table.c.attempt_id == attempt_id)
    query = query.where(table.c.sequence > after).order_by(table.c.sequence).limit(limit + 1)
    return _page(list(connection.execute(query)), limit)


def load_pages(
    connection: Connection, table: Table, keys: Collection[AttemptKey], after: int, limit: int
) -> dict[AttemptKey, Page[Row[Any]]]:
    """Return the first rows behind a `sequence` of each known attempt, all by one statement."""
    key = attempts.c["board_id", "id"]
    known = select(*key).where(tuple_(*key).in_(list(keys))).subquery()
    own = table.alias()
    page = select(own.c.sequence).where(own.c.attempt_id == known.c.id, own.c.board_id == known.c.board_id)
    page = page.where(own.c.sequence > after)
    # One more than asked for tells whether there are more. A window function would number all that is behind.
    page = page.order_by(own.c.sequence).limit(limit + 1).correlate(known)
    query = select(table).select_from(known).join(table, table.c.sequence.in_(page)).order_by(table.c.sequence)
    rows: dict[AttemptKey, list[Row[Any]]] = {}
    for row in connection.execute(query):
        rows.setdefault((row.board_id, row.attempt_id), []).append(row)
    return {key: _page(found, limit) for key, found in rows.items()}


def _page(rows: Sequence[Row[Any]], limit: int) -> Page[Row[Any]]:
    return Page([(row.sequence, row) for row in rows[:limit]], len(rows) > limit)


def _logged(row: Row[Any]) -> LoggedEvent:
    return LoggedEvent(row.offset, row.global_offset, row.name, orjson.loads(row.payload), row.at)
