"""A unit of writing on one connection: the log and the rows, together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from realtime.backends.sql.effects import Effect, effects
from realtime.backends.sql.read_boards import load_board
from realtime.backends.sql.tables import channels, events, projects, snapshots
from realtime.channels import EVERYBODY, Channel, board_channel
from realtime.clock import Clock
from realtime.kanban.board import Recorded
from realtime.kanban.board_json import board_to_json
from realtime.kanban.changes import changes_to_json
from realtime.kanban.events import parse_event
from realtime.kanban.ids import BoardId
from realtime.ports import NewEvent, StoredBoard, StoredEvent

__all__ = ["SqlTransaction"]

#: SQLite takes at most so many parameters in one statement on the oldest version we meet.
IN_LIST = 500

_add_event = insert(events)
_set_offset = insert(channels)
_set_offset = _set_offset.on_conflict_do_update(
    index_elements=["channel"], set_={"offset": _set_offset.excluded["offset"]}
)


class SqlTransaction:
    """Implements `ports.Transaction`; made by `SqlStore.transaction`, which commits it."""

    def __init__(self, connection: AsyncConnection, snapshot_events: int, clock: Clock) -> None:
        """Write on `connection`, where a transaction has begun; keep a board as it is every so many events."""
        self._connection = connection
        self._snapshot_events = snapshot_events
        self._clock = clock

    async def board(self, board_id: BoardId) -> StoredBoard | None:
        """Return the board as of this transaction."""
        return await load_board(self._connection, board_id)

    async def known_boards(self, board_ids: Collection[BoardId]) -> set[BoardId]:
        """Return those of `board_ids` that exist."""
        rows = await self._rows_in(select(projects.c.id), projects.c.id, board_ids)
        return {BoardId(row.id) for row in rows}

    async def seen(self, keys: Collection[str]) -> dict[str, StoredEvent]:
        """Return the events in the log under these idempotency keys, without their changes."""
        found = {}
        for row in await self._rows_in(select(events), events.c.idempotency_key, keys):
            recorded = Recorded(parse_event(row.name, orjson.loads(row.payload)), row.at)
            stored = StoredEvent(Channel(row.channel), recorded, row.offset, row.global_offset)
            found[row.idempotency_key] = stored
        return found

    async def append(self, new: Sequence[NewEvent]) -> list[StoredEvent]:
        """Write the events into the log, in order, and what they do into the rows."""
        if not new:
            return []
        heads = await self._heads({event.channel for event in new} | {EVERYBODY})
        stored = [self._place(event, heads) for event in new]
        now = self._clock()
        rows = [_row(*pair, now) for pair in zip(new, stored, strict=True)]
        await self._connection.execute(_add_event, rows)
        await self._connection.execute(
            _set_offset, [{"channel": channel, "offset": offset} for channel, offset in heads.items()]
        )
        await self._run(effect for event in new for effect in effects(event.recorded))
        for board_id in {one.recorded.event.board_id for one in stored if one.offset % self._snapshot_events == 0}:
            if board_id is not None:
                await self._keep_snapshot(board_id, heads[board_channel(board_id)])
        return stored

    async def _keep_snapshot(self, board_id: BoardId, offset: int) -> None:
        found = await self.board(board_id)
        if found is not None:
            row = {"board_id": board_id, "offset": offset, "board": board_to_json(found.board).decode()}
            await self._connection.execute(insert(snapshots), row)

    def _place(self, event: NewEvent, heads: dict[Channel, int]) -> StoredEvent:
        heads[event.channel] += 1
        return StoredEvent(event.channel, event.recorded, heads[event.channel], heads[EVERYBODY])

    async def _heads(self, names: Collection[Channel]) -> dict[Channel, int]:
        rows = await self._rows_in(select(channels), channels.c.channel, names)
        return dict.fromkeys(names, 0) | {Channel(row.channel): row.offset for row in rows}

    async def _rows_in(self, query: Any, column: Any, values: Collection[str]) -> list[Any]:
        listed = list(values)
        rows: list[Any] = []
        for start in range(0, len(listed), IN_LIST):
            part = query.where(column.in_(listed[start : start + IN_LIST]))
            rows += await self._connection.execute(part)
        return rows

    async def _run(self, todo: Iterable[Effect]) -> None:
        """Execute in order; a run of one statement with different parameters goes as one `executemany`."""
        for _, group in groupby(todo, key=lambda effect: id(effect[0])):
            run = list(group)
            await self._connection.execute(run[0][0], [parameters for _, parameters in run])


def _row(new: NewEvent, stored: StoredEvent, now: datetime) -> dict[str, Any]:
    recorded = new.recorded
    return {
        "channel": new.channel,
        "offset": stored.offset,
        "global_offset": stored.global_offset,
        "name": recorded.event.type,
        "payload": orjson.dumps(recorded.event.payload()).decode(),
        "changes": changes_to_json(recorded.changes).decode() if recorded.changes else None,
        "at": recorded.at,
        "recorded_at": now,
        "idempotency_key": new.key,
    }
