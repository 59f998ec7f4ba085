"""Rows that only grow → pages of them: the event log, and what is kept under attempts.

A page costs what it holds, not what lies before or behind it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Table, select

from realtime.backends.sql.tables import attempts, events
from realtime.channels import Channel
from realtime.kanban.ids import AttemptId
from realtime.ports import LoggedEvent, Page

__all__ = ["load_event_page", "load_pages"]


def load_event_page(connection: Connection, channel: Channel, after: int, limit: int) -> Page[LoggedEvent]:
    """Return the first events behind an offset of a channel."""
    query = select(events).where(events.c.channel == channel, events.c.offset > after)
    rows = list(connection.execute(query.order_by(events.c.offset).limit(limit + 1)))
    return Page([(row.offset, _logged(row)) for row in rows[:limit]], len(rows) > limit)


def load_pages(
    connection: Connection, table: Table, attempt_ids: Collection[AttemptId], after: int, limit: int
) -> dict[AttemptId, Page[Row[Any]]]:
    """Return the first rows behind a `sequence` of each known attempt, all by one statement."""
    known = select(attempts.c.id).where(attempts.c.id.in_(attempt_ids)).distinct().subquery()
    own = table.alias()
    page = select(own.c.sequence).where(own.c.attempt_id == known.c.id, own.c.sequence > after)
    # One more than asked for tells whether there are more. A window function would number all that is behind.
    page = page.order_by(own.c.sequence).limit(limit + 1).correlate(known)
    query = select(table).select_from(known).join(table, table.c.sequence.in_(page)).order_by(table.c.sequence)
    rows: dict[AttemptId, list[Row[Any]]] = {}
    for row in connection.execute(query):
        rows.setdefault(row.attempt_id, []).append(row)
    return {id: Page([(row.sequence, row) for row in own[:limit]], len(own) > limit) for id, own in rows.items()}


def _logged(row: Row[Any]) -> LoggedEvent:
    return LoggedEvent(row.offset, row.global_offset, row.name, orjson.loads(row.payload), row.at)
