"""A write unit on the database: log and rows, in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, func, select

from realtime.backends.sql.gathered import gathered_values
from realtime.backends.sql.reading.read_boards import load_board
from realtime.backends.sql.reading.read_history import load_board_events
from realtime.backends.sql.reading.read_projects import load_boards_of_tags
from realtime.backends.sql.tables import agents, profiles, projects
from realtime.backends.sql.writing.heads import Heads
from realtime.backends.sql.writing.write_events import PlacedEvent, load_known, place, write
from realtime.backends.sql.writing.write_keys import add_answers, load_answers
from realtime.clock import Clock
from realtime.errors import BoardMoved
from realtime.kanban.board import Board
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.ports import FirstAnswer, NewEvent, RequestKey, StoredBoard, StoredEvent

__all__ = ["SqlTransaction"]

_boards = select(func.count()).select_from(projects)


class SqlTransaction:
    """Implements `ports.Transaction`; made by `SqlStore.transact`, which commits it."""

    def __init__(self, connection: Connection, heads: Heads, snapshot_events: int, clock: Clock) -> None:
        """Write with `connection`; store a snapshot of a board every `snapshot_events` events."""
        self._connection = connection
        self._heads = heads
        self._snapshot_events = snapshot_events
        self._clock = clock
        #: Light events that are not written yet, and the boards after them. A group has many of them, one a unit, and
        #: one statement writes all: each statement gives the interpreter lock away, and waits for the event loop to get
        #: it back.
        self._placed: list[PlacedEvent] = []
        self._boards: dict[BoardId, Board] = {}
        #: Whether each of these boards exists.
        self._exists: dict[BoardId, bool] = {}

    def flush(self) -> None:
        """Write all events; the unit calls it before it commits."""
        placed, boards, self._placed, self._boards = self._placed, self._boards, [], {}
        self._write(placed, boards)

    def board(self, board_id: BoardId) -> StoredBoard | None:
        """Return the board as of this transaction."""
        # The head first: with several writers, nobody else changes the board from then on.
        self._heads.read({board_channel(board_id)})
        self.flush()
        return load_board(self._connection, board_id)

    def known_boards(self, board_ids: Collection[BoardId]) -> set[BoardId]:
        """Return those of `board_ids` that exist."""
        self._heads.read({board_channel(board_id) for board_id in board_ids})
        unknown = [board_id for board_id in board_ids if board_id not in self._exists]
        if unknown:
            found = load_known(self._connection, unknown)
            self._exists |= {board_id: board_id in found for board_id in unknown}
        return {board_id for board_id in board_ids if self._exists[board_id]}

    def boards_of_tags(self, tags: Collection[str]) -> dict[str, BoardId]:
        """Return the boards with these tags, by tag."""
        return load_boards_of_tags(self._connection, tags)

    def board_count(self) -> int:
        """Return the number of boards."""
        return self._connection.execute(_boards).scalar_one()

    def agent_keys(self) -> set[str]:
        """Return the keys of all agents."""
        return set(gathered_values(self._connection, agents.c.key))

    def profile_ids(self) -> set[str]:
        """Return the ids of all profiles."""
        return set(gathered_values(self._connection, profiles.c.id))

    def lock(self, channels: Collection[Channel]) -> None:
        """Keep others from writing to these channels until the end; see `ports.Transaction`."""
        self._heads.lock(channels)

    def offset(self, channel: Channel) -> int:
        """Return the offset of a channel's last event, 0 before the first."""
        return self._heads.read({channel})[channel]

    def missed(self, board_id: BoardId, after: int, limit: int) -> list[StoredEvent]:
        """Return the first events of a board after an offset, in order."""
        self.flush()
        return load_board_events(self._connection, board_id, after, limit)

    def answered(self, keys: Collection[RequestKey]) -> dict[RequestKey, FirstAnswer]:
        """Return the first answers under those of `keys` that were used."""
        return load_answers(self._connection, keys)

    def remember(self, answers: Sequence[FirstAnswer]) -> None:
        """Keep the first answers under new keys; see `ports.Transaction`."""
        add_answers(self._connection, answers)

    def append(
        self,
        new: Sequence[NewEvent],
        boards: Mapping[BoardId, Board],
        decided_at: Mapping[BoardId, int] | None = None,
    ) -> list[StoredEvent]:
        """Write the events into the log, in order, and their effects into the rows; see `ports.Transaction`."""
        if not new:
            return []
        decided = {board_channel(board_id): (board_id, offset) for board_id, offset in (decided_at or {}).items()}
        heads = self._heads.take({*decided, *(event.channel for event in new)})
        # Last, and only to read it unless there are global events, so that units of different boards go on together.
        self._heads.read({EVERYBODY})
        for channel, (board_id, offset) in decided.items():
            if heads[channel] != offset:
                raise BoardMoved(board_id, offset, heads[channel])
        placed = place(new, heads, self._clock())
        if all(one.is_light(self._snapshot_events) for one in placed):
            self._placed += placed
            self._boards |= boards
        else:
            # Separately: an event from outside may change a board that is not at hand here, but in an earlier unit.
            self.flush()
            self._exists.clear()
            self._write(placed, boards)
        return [one.stored for one in placed]

    def _write(self, placed: Sequence[PlacedEvent], boards: Mapping[BoardId, Board]) -> None:
        if placed:
            write(self._connection, placed, boards, self._snapshot_events)
