"""A write unit on the database: log and rows, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection

from realtime.backends.sql.reading.read_boards import load_board
from realtime.backends.sql.reading.read_census import count_boards, load_agent_keys, load_profile_ids
from realtime.backends.sql.reading.read_history import load_board_events
from realtime.backends.sql.writing.write_events import append, load_heads, load_known, load_seen
from realtime.clock import Clock
from realtime.errors import BoardMoved
from realtime.kanban.board import Board
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.ports import NewEvent, StoredBoard, StoredEvent

__all__ = ["SqlTransaction"]


class SqlTransaction:
    """Implements `ports.Transaction`; made by `SqlStore.transact`, which commits it."""

    def __init__(self, connection: Connection, snapshot_events: int, clock: Clock) -> None:
        """Write with `connection`; store a snapshot of a board every `snapshot_events` events."""
        self._connection = connection
        self._snapshot_events = snapshot_events
        self._clock = clock
        #: The last offset of each channel that was read or written here; nobody else writes meanwhile.
        self._heads: dict[Channel, int] = {}

    def board(self, board_id: BoardId) -> StoredBoard | None:
        """Return the board as of this transaction."""
        return load_board(self._connection, board_id)

    def known_boards(self, board_ids: Collection[BoardId]) -> set[BoardId]:
        """Return those of `board_ids` that exist."""
        return load_known(self._connection, board_ids)

    def board_count(self) -> int:
        """Return the number of boards."""
        return count_boards(self._connection)

    def agent_keys(self) -> set[str]:
        """Return the keys of all agents."""
        return load_agent_keys(self._connection)

    def profile_ids(self) -> set[str]:
        """Return the ids of all profiles."""
        return load_profile_ids(self._connection)

    def seen(self, keys: Collection[str]) -> dict[str, StoredEvent]:
        """Return the events in the log under these idempotency keys, without their changes."""
        return load_seen(self._connection, keys)

    def offset(self, channel: Channel) -> int:
        """Return the offset of a channel's last event, 0 before the first."""
        self._know({channel})
        return self._heads[channel]

    def missed(self, board_id: BoardId, after: int, limit: int) -> list[StoredEvent]:
        """Return the first events of a board after an offset, in order."""
        return load_board_events(self._connection, board_id, after, limit)

    def append(
        self,
        new: Sequence[NewEvent],
        boards: Mapping[BoardId, Board],
        decided_at: Mapping[BoardId, int] | None = None,
    ) -> list[StoredEvent]:
        """Write the events into the log, in order, and their effects into the rows; see `ports.Transaction`."""
        if not new:
            return []
        self._know({EVERYBODY, *(event.channel for event in new)})
        for board_id, offset in (decided_at or {}).items():
            if (head := self.offset(board_channel(board_id))) != offset:
                raise BoardMoved(board_id, offset, head)
        return append(self._connection, new, self._heads, boards, self._clock(), self._snapshot_events)

    def _know(self, channels: Collection[Channel]) -> None:
        unknown = [channel for channel in channels if channel not in self._heads]
        if unknown:
            self._heads |= load_heads(self._connection, unknown)
