"""The plan of a batch of events from outside: event by event, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from realtime.clock import Clock
from realtime.errors import FieldError, InvalidInput, KeyReused, quoted
from realtime.global_ids import tag_of
from realtime.kanban import events
from realtime.kanban.board import Board
from realtime.kanban.capacity import check_board
from realtime.kanban.events import DomainEvent
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.kanban.projection import needs_board, new_project, react
from realtime.limits import FULL_SECONDS, Capacity, LimitReached
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.ports import FirstAnswer, KeyedRequest, NewEvent, RequestKey, StoredBoard, StoredEvent, Transaction
from realtime.writing.census import Census
from realtime.writing.fingerprints import event_fingerprint
from realtime.writing.write_units import checked_board, fold_all, key_reused, new_events

__all__ = ["IngestPlan", "Sender", "needed_boards", "parts_of"]


def parts_of(batch: Sequence[Incoming]) -> int:
    """Return the size of a batch as a unit: its events, and the cards of its whole states."""
    states = (one.event.state for one in batch if isinstance(one.event, events.BoardStateChanged))
    return len(batch) + sum(len(state.cards) for state in states if state is not None)


def needed_boards(batch: Sequence[Incoming]) -> set[BoardId]:
    """Return the boards that events of the batch need."""
    needed = {one.event.board_id for one in batch if needs_board(one.event)}
    return {board_id for board_id in needed if board_id is not None}


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of a batch."""

    #: The subject to which its idempotency keys belong.
    subject: str = ""
    #: Boards that do not exist for it; with None, neither do global events.
    hidden: AbstractSet[BoardId | None] = frozenset()
    #: The request whose only event the batch is, if the event is none of a client's own.
    request: KeyedRequest | None = None

    def request_of(self, incoming: Incoming) -> KeyedRequest | None:
        """Return an event as a request with a key, None if it has no key."""
        if incoming.key is None:
            return self.request
        board_id = incoming.event.board_id
        scope = EVERYBODY if board_id is None else board_channel(board_id)
        return KeyedRequest(RequestKey(scope, self.subject, incoming.key), event_fingerprint(incoming))


class IngestPlan:
    """The plan of one batch; it is carried out once, in a transaction."""

    def __init__(
        self,
        batch: Sequence[Incoming],
        at_hand: Mapping[BoardId, StoredBoard],
        capacity: Capacity,
        sender: Sender,
    ) -> None:
        """Plan with the boards in `at_hand`; other boards are loaded. Nothing may exceed `capacity`."""
        self._sender = sender
        self._batch = batch
        self._capacity = capacity
        self._at_hand = at_hand
        self._boards: dict[BoardId, Board] = {}
        #: The offset of each of these boards before the batch.
        self._decided_at: dict[BoardId, int] = {}
        self._known: set[BoardId] = set()
        self._answered: dict[RequestKey, FirstAnswer] = {}
        self._first: list[int | FirstAnswer] = []
        #: The index in `_new` of each new event with a key.
        self._keyed: dict[KeyedRequest, int] = {}
        self._keys: set[RequestKey] = set()
        self._new: list[NewEvent] = []
        #: The boards by tag, as far as the batch needs them.
        self._tagged: dict[str, str] = {}

    def carry_out(self, transaction: Transaction, clock: Clock) -> list[StoredEvent]:
        """Work out the events to write, and append them.

        Raises:
            InvalidInput: an event names a board that does not exist at this point of the batch.
            KeyReused: an event has the id of another one.
            LimitReached: an event would exceed a capacity.
        """
        self._census = Census(transaction, self._capacity)
        requests = [self._sender.request_of(one) for one in self._batch]
        ids = {one.event.board_id for one in self._batch}
        self._known = transaction.known_boards({id for id in ids - self._sender.hidden if id is not None})
        # After the boards: a request with one of these keys, that another process carries out, has ended then.
        self._answered = transaction.answered({one.key for one in requests if one is not None})
        for board_id in needed_boards(self._batch) & self._known:
            if (found := checked_board(transaction, board_id, self._at_hand.get(board_id))) is not None:
                self._boards[board_id], self._decided_at[board_id] = found.board, found.offset
        created = {one.event.project_id for one in self._batch if isinstance(one.event, events.ProjectCreated)}
        if made := created - self._known:
            self._tagged |= transaction.boards_of_tags({tag_of(id) for id in made})
        self._react(requests, clock())
        stored = transaction.append(self._new, self._boards, self._decided_at)
        answers = [
            FirstAnswer(*request, at.channel, at.offset - 1, at.offset, at.global_offset)
            for request, at in ((request, stored[index]) for request, index in self._keyed.items())
        ]
        if answers:
            transaction.remember(answers)
        return stored

    def outcome(self, stored: Sequence[StoredEvent]) -> list[tuple[StoredEvent | FirstAnswer, bool]]:
        """Return for each event of the batch the place of the stored event, and whether it is a duplicate."""
        outcome: list[tuple[StoredEvent | FirstAnswer, bool]] = []
        answered: set[int] = set()
        for first in self._first:
            if isinstance(first, FirstAnswer):
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

    def _react(self, requests: Sequence[KeyedRequest | None], now: datetime) -> None:
        unknown: list[FieldError] = []
        reused: list[FieldError] = []
        for index, (incoming, request) in enumerate(zip(self._batch, requests, strict=True)):
            if request is not None and (first := self._first_of(request)) is not None:
                self._first.append(first)
            elif request is not None and self._is_taken(request.key):
                if request is self._sender.request:
                    raise key_reused(request.key)
                came = f"expected a new id, or the event that had {quoted(request.key.text)} first; another came"
                reused.append(FieldError(f"{index}.id", came))
            elif not self._exists(incoming.event):
                field = "projectId" if incoming.event.board_field == "project_id" else "boardId"
                came = f"expected the id of a board, got {incoming.event.board_id!r}"
                unknown.append(FieldError(f"{index}.payload.{field}", came))
            elif self._collides(incoming.event):
                came = f"expected an id whose hash no other board has, got {incoming.event.board_id!r}"
                unknown.append(FieldError(f"{index}.payload.projectId", came))
            else:
                if request is not None:
                    self._keyed[request] = len(self._new)
                    self._keys.add(request.key)
                self._take(index, incoming.event, incoming.at or now)
        if unknown:
            raise InvalidInput(*unknown, *reused)
        if reused:
            raise KeyReused(*reused)

    def _first_of(self, request: KeyedRequest) -> int | FirstAnswer | None:
        """Return the first event of this key, if it is the same; None if there is none, or another one."""
        before = self._answered.get(request.key)
        if before is not None:
            return before if before.is_of(request) else None
        return self._keyed.get(request)

    def _is_taken(self, key: RequestKey) -> bool:
        return key in self._answered or key in self._keys

    def _collides(self, event: DomainEvent) -> bool:
        """Return whether the event creates a board whose tag another board has."""
        if not isinstance(event, events.ProjectCreated):
            return False
        return self._tagged.setdefault(tag_of(event.project_id), event.project_id) != event.project_id

    def _exists(self, event: DomainEvent) -> bool:
        board_id = event.board_id
        if board_id in self._sender.hidden:
            return False
        return board_id is None or board_id in self._known or type(event) is events.ProjectCreated

    def _take(self, index: int, event: DomainEvent, at: datetime) -> None:
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
        self._new += new_events(made)


@contextmanager
def _naming(index: int) -> Iterator[None]:
    """Add the index of the event to a refusal."""
    try:
        yield
    except LimitReached as full:
        field = FieldError(f"{index}.payload", full.message)
        raise LimitReached(full.message, full.retry_after_seconds, field) from full
