"""The plan of a batch of events from outside: event by event, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import datetime

from realtime.clock import Clock
from realtime.errors import FieldError, InvalidInput
from realtime.kanban import events
from realtime.kanban.board import Board
from realtime.kanban.capacity import check_board
from realtime.kanban.events import DomainEvent
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.kanban.projection import needs_board, new_project, react
from realtime.limits import FULL_SECONDS, Capacity, LimitReached
from realtime.messages.channels import board_channel
from realtime.ports import NewEvent, StoredBoard, StoredEvent, Transaction
from realtime.writing.census import Census
from realtime.writing.write_units import checked_board, fold_all, new_events

__all__ = ["IngestPlan", "is_heavy", "needed_boards"]

#: A unit with more events and cards than this is heavy.
HEAVY_PARTS = 100


def is_heavy(batch: Sequence[Incoming]) -> bool:
    """Return whether a batch takes long to write, because it has many events, or states with many cards."""
    states = (one.event.state for one in batch if isinstance(one.event, events.BoardStateChanged))
    return len(batch) + sum(len(state.cards) for state in states if state is not None) > HEAVY_PARTS


def needed_boards(batch: Sequence[Incoming]) -> set[BoardId]:
    """Return the boards that events of the batch need."""
    needed = {one.event.board_id for one in batch if needs_board(one.event)}
    return {board_id for board_id in needed if board_id is not None}


class IngestPlan:
    """The plan of one batch; it is carried out once, in a transaction."""

    def __init__(
        self,
        batch: Sequence[Incoming],
        at_hand: Mapping[BoardId, StoredBoard],
        capacity: Capacity,
        hidden: AbstractSet[BoardId | None] = frozenset(),
    ) -> None:
        """Plan with the boards in `at_hand`; other boards are loaded. Nothing may exceed `capacity`.

        Boards in `hidden` count as unknown.
        """
        self._hidden = hidden
        self._batch = batch
        self._capacity = capacity
        self._at_hand = at_hand
        self._boards: dict[BoardId, Board] = {}
        #: The offset of each of these boards before the batch.
        self._decided_at: dict[BoardId, int] = {}
        self._known: set[BoardId] = set()
        self._seen: dict[str, StoredEvent] = {}
        self._first: list[int | StoredEvent] = []
        self._keys: dict[str, int] = {}
        self._new: list[NewEvent] = []

    def carry_out(self, transaction: Transaction, clock: Clock) -> list[StoredEvent]:
        """Work out the events to write, and append them.

        Raises:
            InvalidInput: an event names a board that does not exist at this point of the batch.
            LimitReached: an event would exceed a capacity.
        """
        self._census = Census(transaction, self._capacity)
        self._seen = transaction.seen({one.key for one in self._batch if one.key is not None})
        ids = {one.event.board_id for one in self._batch}
        self._known = transaction.known_boards({id for id in ids - self._hidden if id is not None})
        for board_id in needed_boards(self._batch) & self._known:
            if (found := checked_board(transaction, board_id, self._at_hand.get(board_id))) is not None:
                self._boards[board_id], self._decided_at[board_id] = found.board, found.offset
        self._react(clock())
        return transaction.append(self._new, self._boards, self._decided_at)

    def outcome(self, stored: Sequence[StoredEvent]) -> list[tuple[StoredEvent, bool]]:
        """Return for each event of the batch the stored event, and whether it is a duplicate."""
        outcome: list[tuple[StoredEvent, bool]] = []
        answered: set[int] = set()
        for first in self._first:
            if isinstance(first, StoredEvent):
                outcome.append((first, True))
            else:
                outcome.append((stored[first], first in answered))
                answered.add(first)
        return outcome

    def boards(self, stored: Sequence[StoredEvent]) -> list[StoredBoard]:
        """Return the boards that the batch needed, as they are after the stored events, without deleted ones."""
        heads = {board_channel(board_id): offset for board_id, offset in self._decided_at.items()}
        heads |= {event.channel: event.offset for event in stored}
        at = stored[-1].global_offset if stored else 0
        happened = [one.recorded.event for one in stored]
        deleted = {event.board_id for event in happened if type(event) is events.ProjectDeleted}
        left = {board_id: board for board_id, board in self._boards.items() if board_id not in deleted}
        return [StoredBoard(board, heads[board_channel(board_id)], at) for board_id, board in left.items()]

    def _react(self, now: datetime) -> None:
        unknown: list[FieldError] = []
        for index, incoming in enumerate(self._batch):
            if incoming.key in self._seen:
                self._first.append(self._seen[incoming.key])
            elif incoming.key in self._keys:
                self._first.append(self._keys[incoming.key])
            elif not self._exists(incoming.event):
                field = "projectId" if incoming.event.board_field == "project_id" else "boardId"
                came = f"expected the id of a board, got {incoming.event.board_id!r}"
                unknown.append(FieldError(f"{index}.payload.{field}", came))
            else:
                self._take(index, incoming, incoming.at or now)
        if unknown:
            raise InvalidInput(*unknown)

    def _exists(self, event: DomainEvent) -> bool:
        board_id = event.board_id
        if board_id in self._hidden:
            return False
        return board_id is None or board_id in self._known or type(event) is events.ProjectCreated

    def _take(self, index: int, incoming: Incoming, at: datetime) -> None:
        event = incoming.event
        if incoming.key is not None:
            self._keys[incoming.key] = len(self._new)
        self._first.append(len(self._new))
        board = self._boards.get(event.board_id) if self._boards and event.board_id is not None else None
        if full := self._census.overflow(event, is_new_board=event.board_id not in self._known):
            raise LimitReached(full, FULL_SECONDS, FieldError(f"{index}.payload", full))
        made = react(board, event, at)
        if type(event) is events.ProjectCreated and board is None:
            board = self._boards[BoardId(event.project_id)] = Board(new_project(event, at))
            self._known.add(BoardId(event.project_id))
        if board is not None:
            before = board.state
            fold_all(board, made)
            with _naming(index):
                check_board(before, board.state, made, self._capacity)
        if type(event) is events.ProjectDeleted:
            self._known.discard(BoardId(event.project_id))
            self._boards.pop(BoardId(event.project_id), None)
        self._new += new_events(made, incoming.key)


@contextmanager
def _naming(index: int) -> Iterator[None]:
    """Add the index of the event to a refusal."""
    try:
        yield
    except LimitReached as full:
        field = FieldError(f"{index}.payload", full.message)
        raise LimitReached(full.message, full.retry_after_seconds, field) from full
