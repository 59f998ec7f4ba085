"""A unit of commands on one board: decided in the transaction, or answered again where a request is repeated.

An idempotency key is written in the transaction of the events of its request. A later request with the same key finds
the place of the first one in the log. The bus reads the board and the events there (`repeats`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from realtime.errors import NotFound, Refused, without_frames
from realtime.kanban.board import Board, Recorded
from realtime.kanban.capacity import check_board
from realtime.kanban.commands import Command, decide
from realtime.kanban.events import CardCreated, ProjectDeleted
from realtime.kanban.ids import BoardId, CardId
from realtime.limits import Capacity
from realtime.messages.channels import board_channel
from realtime.messages.position import Position, channel_tag
from realtime.ports import FirstAnswer, KeyedRequest, RequestKey, StoredBoard, StoredEvent, Transaction
from realtime.views.board_views import Fold
from realtime.writing.fingerprints import command_fingerprint
from realtime.writing.recent_boards import RecentBoards
from realtime.writing.write_units import checked_board, fold_all, key_reused, new_events

__all__ = ["Ask", "CommandUnit", "Decision", "Executed"]


class Ask(NamedTuple):
    """Commands that are carried out together, all or none, and the key under which their client may repeat them."""

    commands: tuple[Command, ...]
    key: RequestKey | None = None


@dataclass(frozen=True, slots=True)
class Executed:
    """The result of commands: the board after them, and the position of that board."""

    board: Board
    position: Position
    #: The recorded events, in order; empty if the commands changed nothing.
    recorded: tuple[Recorded, ...]
    #: Whether it is the first answer to a repeated request, which changed nothing this time.
    is_repeated: bool = False

    @property
    def created_card(self) -> CardId:
        """The card that a `CreateCard` has created."""
        made = (one.event for one in self.recorded)
        return CardId(next(event.card_id for event in made if isinstance(event, CardCreated)))


class Decision(NamedTuple):
    """The result of a unit."""

    board_id: BoardId
    #: The result or refusal of each request, or the place of the first answer if it is repeated.
    each: list[Executed | FirstAnswer | Refused]
    stored: list[StoredEvent]
    folds: list[Fold]
    #: The board after the unit, unless it was deleted; it may be missing if nothing changed.
    boards: list[StoredBoard]


class _End(NamedTuple):
    """The board after one request, and the range of the unit's folds that belong to the request."""

    board: Board
    first: int
    last: int


class CommandUnit:
    """The unit of one call; it is carried out once, in a transaction."""

    def __init__(
        self, board_id: BoardId, asks: Sequence[Ask], now: datetime, capacity: Capacity, *, refusable: bool
    ) -> None:
        """Decide `asks` at the time `now`; if `refusable`, a refusal of one does not stop the rest."""
        self._board_id = board_id
        self._asks = asks
        self._now = now
        self._capacity = capacity
        self._refusable = refusable
        self._folds: list[Fold] = []
        self._known: Mapping[RequestKey, FirstAnswer] = {}
        #: The ends of the new requests that have a key.
        self._keyed: dict[KeyedRequest, _End] = {}

    def carry_out(
        self, transaction: Transaction, epoch: str, at_hand: StoredBoard | None, recent: RecentBoards
    ) -> Decision:
        """Decide the commands on the board `at_hand` (None = load it, into `recent`), and append their events.

        The answer is complete here, because nothing after the commit may fail in a way that the caller would see.

        Raises:
            Refused: a request is refused, or the board would exceed a capacity.
        """
        keys = [ask.key for ask in self._asks if ask.key is not None]
        # The head first: a request with one of these keys, that another process carries out now, has ended then.
        transaction.offset(board_channel(self._board_id))
        self._known = transaction.answered(keys) if keys else {}
        found = self._board(transaction, at_hand, recent)
        before = found.board.state if found else None
        ends = [self._end(found, ask) for ask in self._asks]
        if found is None or before is None:
            # If all requests are repeated, nothing has looked at the board at hand, or changed it.
            untouched = [at_hand] if at_hand is not None and self._are_repeated() else []
            return Decision(self._board_id, [end for end in ends if not isinstance(end, _End)], [], [], untouched)
        recorded = [fold.recorded for fold in self._folds]
        check_board(before, found.board.state, recorded, self._capacity)
        # A deleted board needs no snapshot.
        is_deleted = any(type(one.event) is ProjectDeleted for one in recorded)
        boards = {} if is_deleted else {self._board_id: found.board}
        stored = transaction.append(new_events(recorded), boards, {self._board_id: found.offset})
        places: list[StoredBoard | StoredEvent] = [found, *stored]
        self._remember(transaction, places)
        each = [self._answer(end, epoch, places) if isinstance(end, _End) else end for end in ends]
        last = places[-1]
        behind = [StoredBoard(board, last.offset, last.global_offset) for board in boards.values()]
        return Decision(self._board_id, each, stored, self._folds, behind)

    def _board(self, transaction: Transaction, at_hand: StoredBoard | None, recent: RecentBoards) -> StoredBoard | None:
        """Return the board as of this transaction; None if all requests are repeated, or it does not exist."""
        if self._are_repeated():
            return None
        found = checked_board(transaction, self._board_id, at_hand)
        if found is None and not self._known:
            raise _not_found()
        if found is not None and at_hand is None:
            recent.put(found)  # even if the commands are refused
        return found

    def _are_repeated(self) -> bool:
        return all(ask.key in self._known for ask in self._asks)

    def _end(self, found: StoredBoard | None, ask: Ask) -> _End | FirstAnswer | Refused:
        """Decide one request on the board after the earlier ones, or find its first answer."""
        try:
            if ask.key is None:
                return self._decide(found, ask.commands)
            return self._once(found, ask.commands, ask.key)
        except Refused as refused:
            if not self._refusable:
                raise
            return without_frames(refused)

    def _once(self, found: StoredBoard | None, commands: Sequence[Command], key: RequestKey) -> _End | FirstAnswer:
        request = KeyedRequest(key, command_fingerprint(self._board_id, *commands))
        if before := self._known.get(key):
            if not before.is_of(request):
                raise key_reused(key)
            return before
        if request not in self._keyed:
            if any(other.key == key for other in self._keyed):
                raise key_reused(key)
            self._keyed[request] = self._decide(found, commands)
        return self._keyed[request]

    def _decide(self, found: StoredBoard | None, commands: Sequence[Command]) -> _End:
        if found is None:
            raise _not_found()
        first = len(self._folds)
        for command in commands:
            self._folds += fold_all(found.board, decide(found.board, command, self._now))
        return _End(found.board.copy() if self._refusable else found.board, first, len(self._folds))

    def _remember(self, transaction: Transaction, places: Sequence[StoredBoard | StoredEvent]) -> None:
        answers = [
            FirstAnswer(
                *request,
                board_channel(self._board_id),
                places[end.first].offset,
                places[end.last].offset,
                places[end.last].global_offset,
            )
            for request, end in self._keyed.items()
        ]
        if answers:
            transaction.remember(answers)

    def _answer(self, end: _End, epoch: str, places: Sequence[StoredBoard | StoredEvent]) -> Executed:
        at = places[end.last]
        position = Position(epoch, channel_tag(board_channel(self._board_id)), at.offset, at.global_offset)
        return Executed(end.board, position, tuple(fold.recorded for fold in self._folds[end.first : end.last]))


def _not_found() -> NotFound:
    return NotFound("Board not found", "board_not_found")
