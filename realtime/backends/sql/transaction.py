"""A unit of writing: the log and the rows, together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from realtime.backends.sql.read_boards import load_board
from realtime.backends.sql.write_events import append, load_known, load_seen
from realtime.clock import Clock
from realtime.kanban.board import Board
from realtime.kanban.ids import BoardId
from realtime.ports import NewEvent, StoredBoard, StoredEvent

__all__ = ["SqlTransaction"]


class SqlTransaction:
    """Implements `ports.Transaction`; made by `SqlStore.transact`, which commits it."""

    def __init__(self, connection: Connection, snapshot_events: int, clock: Clock) -> None:
        """Write by `connection`; keep a board as it is every so many events."""
        self._connection = connection
        self._snapshot_events = snapshot_events
        self._clock = clock

    def board(self, board_id: BoardId) -> StoredBoard | None:
        """Return the board as of this transaction."""
        return load_board(self._connection, board_id)

    def known_boards(self, board_ids: Collection[BoardId]) -> set[BoardId]:
        """Return those of `board_ids` that exist."""
        return load_known(self._connection, board_ids)

    def seen(self, keys: Collection[str]) -> dict[str, StoredEvent]:
        """Return the events in the log under these idempotency keys, without their changes."""
        return load_seen(self._connection, keys)

    def append(self, new: Sequence[NewEvent], boards: Mapping[BoardId, Board]) -> list[StoredEvent]:
        """Write the events into the log, in order, and what they do into the rows; see `ports.Transaction`."""
        return append(self._connection, new, boards, self._clock(), self._snapshot_events) if new else []
