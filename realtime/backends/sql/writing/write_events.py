"""Events → the log and the rows: the work of a write unit on its connection."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, cast, exists, func, not_, or_, select

from realtime.backends.sql.prepared import Addition, Insertion, PreparedList
from realtime.backends.sql.reading.read_boards import load_board
from realtime.backends.sql.tables import channels, events, milliseconds, projects, snapshots
from realtime.backends.sql.upsert import insert
from realtime.backends.sql.writing.board_rows import write_boards
from realtime.backends.sql.writing.effects import Effect, effects
from realtime.kanban import changes
from realtime.kanban.board import FOLDED_EVENTS, Board, board_to_json
from realtime.kanban.changes import changes_to_json
from realtime.kanban.events import (
    AttemptConversationAppended,
    AttemptLogAppended,
    BoardStateChanged,
    CardCreated,
    CardMoved,
    CardUpdated,
)
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.ports import NewEvent, StoredEvent

__all__ = ["PlacedEvent", "load_known", "place", "write"]

_add_events = Addition(
    events,
    *("channel", "offset", "global_offset", "name", "payload", "changes", "at", "recorded_at"),
    "superseded",
)
_set_offset = insert(channels)
_set_offsets = Insertion(
    _set_offset.on_conflict_do_update(index_elements=["channel"], set_={"offset": _set_offset.excluded["offset"]}),
    *("channel", "offset"),
)
_known = PreparedList(select(projects.c.id).where(projects.c.id.in_(bindparam("boards", expanding=True))), "boards")

# While only log lines come in, a board stays the same, and its last snapshot can be copied: a tenth of the cost of
# loading the board.
_last = select(func.max(snapshots.c.offset)).where(snapshots.c.board_id == bindparam("board_id")).scalar_subquery()
_folded_since = exists().where(
    events.c.channel == bindparam("channel"),
    events.c.offset > snapshots.c.offset,
    or_(events.c.changes.is_not(None), events.c.name.in_(sorted(FOLDED_EVENTS))),
)
_copy_snapshot = insert(snapshots).from_select(
    ["board_id", "offset", "board"],
    select(snapshots.c.board_id, cast(bindparam("offset"), BigInteger), snapshots.c.board).where(
        snapshots.c.board_id == bindparam("board_id"), snapshots.c.offset == _last, not_(_folded_since)
    ),
)


#: Each of them adds one row to the log or the conversation of an attempt, or changes at most cards.
_LIGHT = {AttemptLogAppended, AttemptConversationAppended, BoardStateChanged, CardCreated, CardMoved, CardUpdated}
#: Their rows are those of cards and columns, which a unit reads only with the whole board.
_LIGHT_CHANGES = {changes.CardCreated, changes.CardUpdated, changes.CardMoved}


def load_known(connection: Connection, board_ids: Collection[BoardId]) -> set[BoardId]:
    """Return those of `board_ids` that exist."""
    return {BoardId(board_id) for (board_id,) in _known.rows(connection, board_ids)}


class PlacedEvent(NamedTuple):
    """An event with its place in the log, to be written."""

    new: NewEvent
    stored: StoredEvent
    #: Milliseconds.
    recorded_at: int

    def is_light(self, snapshot_events: int) -> bool:
        """Whether it only touches rows that no unit reads before `load_board`, so that it may be written later."""
        recorded = self.new.recorded
        has_light_changes = all(type(change) in _LIGHT_CHANGES for change in recorded.changes)
        return type(recorded.event) in _LIGHT and has_light_changes and bool(self.stored.offset % snapshot_events)


def place(new: Sequence[NewEvent], heads: dict[Channel, int], now: datetime) -> list[PlacedEvent]:
    """Return the events with their places. `heads` has the last offsets of their channels, and is updated."""
    recorded_at = milliseconds(now)
    return [PlacedEvent(event, _stored(event, heads), recorded_at) for event in new]


def write(
    connection: Connection, placed: Sequence[PlacedEvent], boards: Mapping[BoardId, Board], snapshot_events: int
) -> None:
    """Write the events into the log, in order, and their effects into the rows.

    A board gets a snapshot when one of its new offsets is a multiple of `snapshot_events`. `boards` has the changed
    boards as they are after the events.
    """
    _add_events.run(connection, [_row(one) for one in placed])
    last = {one.stored.channel: one.stored.offset for one in placed}
    _set_offsets.run(connection, list(last.items()))
    _run(connection, (effect for one in placed for effect in effects(one.stored.recorded, one.stored.offset)))
    write_boards(connection, (one.new.recorded for one in placed), boards)
    at = {one.stored.recorded.event.board_id for one in placed if one.stored.offset % snapshot_events == 0}
    for board_id in at:
        if board_id is not None:
            _add_snapshot(connection, board_id, boards.get(board_id), last[board_channel(board_id)])


def _add_snapshot(connection: Connection, board_id: BoardId, at_hand: Board | None, offset: int) -> None:
    key = {"board_id": board_id, "channel": board_channel(board_id), "offset": offset}
    if connection.execute(_copy_snapshot, key).rowcount:
        return
    board = at_hand or _load(connection, board_id)
    if board is not None:
        row = {"board_id": board_id, "offset": offset, "board": board_to_json(board).decode()}
        connection.execute(insert(snapshots), row)


def _load(connection: Connection, board_id: BoardId) -> Board | None:
    found = load_board(connection, board_id)
    return found.board if found else None


def _stored(event: NewEvent, heads: dict[Channel, int]) -> StoredEvent:
    heads[event.channel] += 1
    return StoredEvent(event.channel, event.recorded, heads[event.channel], heads[EVERYBODY], event.superseded)


def _run(connection: Connection, todo: Iterable[Effect]) -> None:
    """Execute the effects in order; consecutive ones with the same statement become one `executemany`."""
    for inserts, group in groupby(todo, key=lambda effect: isinstance(effect[0], Insertion)):
        if inserts:
            _insert(connection, group)
        else:
            for _, same in groupby(group, key=lambda effect: id(effect[0])):
                run: list[Any] = list(same)
                connection.execute(run[0][0], [parameters for _, parameters in run])


def _insert(connection: Connection, todo: Iterable[Any]) -> None:
    """Insert the rows of consecutive effects, by table: each table has its rows in order, and plain values only.

    So a batch of events of two kinds, in turns, has as few statements as one that is sorted by kind.
    """
    rows: dict[Any, tuple[Insertion, list[Any]]] = {}
    for insertion, row in todo:
        if insertion.table in rows and rows[insertion.table][0] is not insertion:
            _insert_all(connection, rows)
        rows.setdefault(insertion.table, (insertion, []))[1].append(row)
    _insert_all(connection, rows)


def _insert_all(connection: Connection, rows: dict[Any, tuple[Insertion, list[Any]]]) -> None:
    for insertion, of_table in rows.values():
        insertion.run(connection, of_table)
    rows.clear()


def _row(placed: PlacedEvent) -> tuple[Any, ...]:
    new, stored, recorded_at = placed
    recorded = new.recorded
    event, made = recorded.event, recorded.changes
    return (
        new.channel,
        stored.offset,
        stored.global_offset,
        event.type,
        event.payload_json(),
        changes_to_json(made).decode() if made else None,
        milliseconds(recorded.at),
        recorded_at,
        new.superseded,
    )
