"""A unit of writing: the log and the rows, together; each step is one visit to the database's thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from realtime.backends.sql.read_boards import load_board
from realtime.backends.sql.write_events import append, load_known, load_seen
from realtime.clock import Clock
from realtime.kanban.ids import BoardId
from realtime.ports import NewEvent, StoredBoard, StoredEvent

__all__ = ["SqlTransaction"]

_T = TypeVar("_T")


class Run(Protocol):
    """Calls a step with the connection that writes, where the database wants it called."""

    def __call__(self, step: Callable[[Connection], _T], /) -> Awaitable[_T]:
        """Return what `step` gives."""


class SqlTransaction:
    """Implements `ports.Transaction`; made by `SqlStore.transaction`, which commits it."""

    def __init__(self, run: Run, snapshot_events: int, clock: Clock) -> None:
        """Write by `run`; keep a board as it is every so many events."""
        self._run = run
        self._snapshot_events = snapshot_events
        self._clock = clock

    async def board(self, board_id: BoardId) -> StoredBoard | None:
        """Return the board as of this transaction."""
        return await self._run(lambda connection: load_board(connection, board_id))

    async def known_boards(self, board_ids: Collection[BoardId]) -> set[BoardId]:
        """Return those of `board_ids` that exist."""
        return await self._run(lambda connection: load_known(connection, board_ids)) if board_ids else set()

    async def seen(self, keys: Collection[str]) -> dict[str, StoredEvent]:
        """Return the events in the log under these idempotency keys, without their changes."""
        return await self._run(lambda connection: load_seen(connection, keys)) if keys else {}

    async def append(self, new: Sequence[NewEvent]) -> list[StoredEvent]:
        """Write the events into the log, in order, and what they do into the rows."""
        if not new:
            return []
        return await self._run(lambda connection: append(connection, new, self._clock(), self._snapshot_events))
