"""The log → events as they were recorded, and boards at an earlier offset."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, bindparam, desc, func, or_, select

from realtime.backends.sql.prepared import Prepared, PreparedList
from realtime.backends.sql.reading.read_pages import STREAMED, rows_within
from realtime.backends.sql.tables import channels, events, snapshots
from realtime.kanban.board import Board, Recorded, board_from_json
from realtime.kanban.changes import changes_from_json
from realtime.kanban.events import ProjectCreated, ProjectDeleted, parse_event
from realtime.kanban.ids import BoardId
from realtime.kanban.input.fields import STORED
from realtime.kanban.projection import new_project
from realtime.messages.channels import DASHBOARD, EVERYBODY, Channel, board_channel
from realtime.ports import Span, StoredEvent

__all__ = ["load_board_events", "load_events", "load_heads", "load_offset", "load_past_board", "load_pruned"]

#: Heads that are read by one statement; SQLite takes some 30,000 parameters.
HEADS_AT_ONCE = 8_192
_heads = PreparedList(
    select(*channels.c["channel", "offset"]).where(channels.c.channel.in_(bindparam("names", expanding=True))), "names"
)
_last = Prepared(select(func.max(events.c.sequence)))
#: Least channels that PostgreSQL gets as one text, and whose heads it returns as one: 10,000 take 21 ms and 6 ms of CPU
#: time here, as parameters and rows 54 ms and 62 ms (measured). A node asks for all watched
#: boards each second.
MANY_HEADS = 64
_HEADS_IN_ORDER = (
    'SELECT array_agg(coalesce(c."offset", 0) ORDER BY place)::text'
    " FROM unnest(string_to_array(%s, E'\\n')) WITH ORDINALITY AS asked(channel, place)"
    " LEFT JOIN channels AS c USING (channel)"
)


def load_past_board(connection: Connection, board_id: BoardId, offset: int) -> Board | None:
    """Return the board after the event at `offset`; None if there was none, or the log does not reach back so far."""
    query = select(*snapshots.c["offset", "board"]).where(snapshots.c.board_id == board_id)
    query = query.where(snapshots.c.offset <= offset).order_by(desc(snapshots.c.offset)).limit(1)
    row = connection.execute(query).one_or_none()
    channel = board_channel(board_id)
    # Without a snapshot there was no board at the beginning of the log: before its first event, or at the cut.
    begin = row.offset if row else load_pruned(connection, channel)
    board = board_from_json(row.board) if row else None
    query = select(events).where(events.c.channel == channel, events.c.offset > begin, events.c.offset <= offset)
    at = begin
    # One row at a time, because each may hold a whole board.
    with closing(connection.execute(query.order_by(events.c.offset), execution_options=STREAMED)) as rows:
        for row in rows:
            at += 1
            if row.offset != at:
                return None
            board = _folded(board, _stored(row).recorded)
    return board if at == offset else None


def load_offset(connection: Connection, channel: Channel) -> int:
    """Return the offset of a channel's last event, 0 before the first."""
    found = connection.scalar(select(channels.c.offset).where(channels.c.channel == channel))
    return found or 0


def load_heads(connection: Connection, names: Collection[Channel]) -> dict[Channel, int]:
    """Return the heads of channels, 0 before the first event; that of `DASHBOARD` grows with the events of all."""
    heads = dict.fromkeys(names, 0)
    some = list(names)
    if connection.dialect.name == "postgresql" and len(some) >= MANY_HEADS and not any("\n" in name for name in some):
        heads |= _heads_in_order(connection, some)
    else:
        for start in range(0, len(some), HEADS_AT_ONCE):
            rows = _heads.rows(connection, some[start : start + HEADS_AT_ONCE])
            heads |= {Channel(name): head for name, head in rows}
    if DASHBOARD in heads:
        ((last,),) = _last.rows(connection)
        heads[DASHBOARD] = last or 0
    return heads


def _heads_in_order(connection: Connection, names: list[Channel]) -> dict[Channel, int]:
    cursor = connection.connection.cursor()
    cursor.execute(_HEADS_IN_ORDER, ("\n".join(names),))
    ((found,),) = cursor.fetchall()
    cursor.close()
    return dict(zip(names, map(int, found[1:-1].split(",")), strict=True))


def load_pruned(connection: Connection, channel: Channel) -> int:
    """Return the offset up to which a channel's events were pruned, 0 if none were."""
    found = connection.scalar(select(channels.c.pruned).where(channels.c.channel == channel))
    return found or 0


def load_events(connection: Connection, channel: Channel, span: Span, limit: int) -> list[StoredEvent]:
    """Return the first events of a span, those of the channel and the global ones, in the order of the log."""
    own = and_(events.c.channel == channel, events.c.offset > span.after, events.c.offset <= span.until)
    ours = and_(
        events.c.channel == EVERYBODY,
        events.c.offset > span.globally_after,
        events.c.offset <= span.globally_until,
    )
    # The log of all channels is written in the order of the events.
    query = select(events).where(or_(own, ours)).order_by(events.c.sequence).limit(limit)
    return [_stored(row) for row in rows_within(connection, query)]


def load_board_events(connection: Connection, board_id: BoardId, after: int, limit: int) -> list[StoredEvent]:
    """Return the first events of a board after an offset, without global events, in order."""
    query = select(events).where(events.c.channel == board_channel(board_id), events.c.offset > after)
    return [_stored(row) for row in rows_within(connection, query.order_by(events.c.offset).limit(limit))]


def _folded(board: Board | None, recorded: Recorded) -> Board | None:
    if isinstance(recorded.event, ProjectDeleted):
        return None
    if isinstance(recorded.event, ProjectCreated) and board is None:
        board = Board(new_project(recorded.event, recorded.at))
    if board is not None:
        board.apply(recorded)
    return board


def _stored(row: Row[*tuple[Any, ...]]) -> StoredEvent:
    made = changes_from_json(row.changes) if row.changes else ()
    recorded = Recorded(parse_event(row.name, orjson.loads(row.payload), STORED), row.at, made)
    return StoredEvent(Channel(row.channel), recorded, row.offset, row.global_offset, row.superseded)
