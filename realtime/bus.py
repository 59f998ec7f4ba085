"""The bus decides the order: it appends to the log and then publishes, one unit of writing after the other.

Commands and events from outside take the same way: decide on the board as it is in the transaction, append, commit,
hand to the broker. Publishing happens before the next transaction begins, so readers see the order of the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from realtime.board_views import BoardViews, Fold
from realtime.channels import EVERYBODY, Channel, board_channel
from realtime.clock import Clock
from realtime.counters import Counters
from realtime.errors import FieldError, InvalidInput, NotFound, Refused
from realtime.kanban import events
from realtime.kanban.board import Board, Recorded
from realtime.kanban.commands import Command, decide
from realtime.kanban.events import DomainEvent
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.kanban.projection import needs_board, new_project, react
from realtime.ports import Broker, EventStore, NewEvent, StoredEvent, Transaction
from realtime.position import Position, channel_tag
from realtime.right_of_way import RightOfWay

__all__ = ["Accepted", "Bus", "Executed"]

_T = TypeVar("_T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Executed:
    """What a command did: the board after it, and the position that board stands for."""

    board: Board
    position: Position
    #: What was recorded, in order; empty when the command changed nothing.
    recorded: tuple[Recorded, ...]


class Accepted(NamedTuple):
    """The answer to one event: its place, and whether it was known already (then nothing was published)."""

    name: str
    cursor: str
    duplicate: bool


class Bus:
    """The way into the log.

    A caller that is cancelled (its client went away) does not stop what it began: a command is carried out whole or
    not at all, and always published when it was stored.
    """

    def __init__(
        self,
        store: EventStore,
        broker: Broker,
        views: BoardViews,
        clock: Clock,
        way: RightOfWay,
        counters: Counters | None = None,
    ) -> None:
        """Write to `store` with the right of `way`, publish to `broker`; `views` spares reading a watched board."""
        self._store = store
        self._broker = broker
        self._views = views
        self._clock = clock
        self._way = way
        self._counters = counters if counters is not None else Counters()
        self._turn = asyncio.Lock()
        self._running: set[asyncio.Task[Any]] = set()

    async def execute(self, board_id: BoardId, *commands: Command) -> Executed:
        """Carry out commands on one board, all or none, and publish what happened.

        Raises:
            NotFound: no such board (`board_not_found`), card, column or attempt.
            Conflict, InvalidInput: see `commands.decide`; nothing was changed.
            StoreUnavailable: nothing was changed, the caller may try again.
        """
        try:
            return await self._whole(self._execute(board_id, commands))
        except Refused as refused:
            self._counters.commands_refused[refused.code] += 1
            raise

    async def publish(self, batch: Sequence[Incoming]) -> list[Accepted]:
        """Store and publish events from outside, all or none, in the given order.

        Raises:
            InvalidInput: an event of a board that does not exist; each is named by index and field.
            StoreUnavailable: nothing was stored, the caller may try again.
        """
        return await self._whole(self._publish(batch))

    async def aclose(self) -> None:
        """Wait for what is being carried out."""
        if self._running:
            await asyncio.wait(self._running)

    async def _whole(self, work: Coroutine[Any, Any, _T]) -> _T:
        task = asyncio.create_task(work, name="bus")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            with self._way.taken():
                return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_fault)  # nobody else looks at what comes of it
            raise

    async def _execute(self, board_id: BoardId, commands: Sequence[Command]) -> Executed:
        async with self._turn:
            now = self._clock()  # not before its turn: the times of a log's events follow its order
            present = self._at_hand(board_id)
            decision = await self._store.transact(
                lambda transaction: self._decide(transaction, present, board_id, commands, now)
            )
            if view := self._views.get(board_id):
                view.foresee(decision.folds)
            await self._hand_on(decision.stored)
        position = self._position(decision.stored[-1]) if decision.stored else decision.position
        return Executed(decision.board, position, tuple(fold.recorded for fold in decision.folds))

    def _decide(
        self,
        transaction: Transaction,
        present: tuple[Board, Position] | None,
        board_id: BoardId,
        commands: Sequence[Command],
        now: datetime,
    ) -> _Decision:
        """Work out what commands do to a board as of this transaction, and append it."""
        board, position = present or self._load(transaction, board_id)
        folds: list[Fold] = []
        for command in commands:
            folds += _fold(board, decide(board, command, now))
        stored = transaction.append([_new(fold.recorded) for fold in folds], {board_id: board})
        return _Decision(board, position, folds, stored)

    def _at_hand(self, board_id: BoardId) -> tuple[Board, Position] | None:
        """Return a board that may be moved on, if it is watched; nobody else moves it before our turn is over."""
        view = self._views.get(board_id)
        return (view.board.copy(), view.position) if view else None

    def _load(self, transaction: Transaction, board_id: BoardId) -> tuple[Board, Position]:
        found = transaction.board(board_id)
        if found is None:
            raise NotFound("Board not found", "board_not_found")
        tag = channel_tag(board_channel(board_id))
        return found.board, Position(self._store.epoch, tag, found.offset, found.global_offset)

    async def _publish(self, batch: Sequence[Incoming]) -> list[Accepted]:
        async with self._turn:
            plan = _Plan(batch, {one: present[0] for one in _needed(batch) if (present := self._at_hand(one))})
            stored = await self._store.transact(lambda transaction: plan.carry_out(transaction, self._clock))
            await self._hand_on(stored)
        return [
            Accepted(incoming.event.type, self._position(event).cursor, duplicate)
            for incoming, (event, duplicate) in zip(batch, plan.outcome(stored), strict=True)
        ]

    async def _hand_on(self, stored: Sequence[StoredEvent]) -> None:
        self._counters.events_stored += len(stored)
        await self._broker.publish(stored)

    def _position(self, stored: StoredEvent) -> Position:
        return Position(self._store.epoch, channel_tag(stored.channel), stored.offset, stored.global_offset)


class _Decision(NamedTuple):
    """What commands came to: the board after them, where it stood before, and what was appended."""

    board: Board
    position: Position
    folds: list[Fold]
    stored: list[StoredEvent]


class _Plan:
    """What a batch of events from outside comes to, worked out event by event before anything is written."""

    def __init__(self, batch: Sequence[Incoming], boards: dict[BoardId, Board]) -> None:
        """Plan with the `boards` that are at hand; the others are loaded."""
        self._batch = batch
        self._boards = boards
        self._known: set[BoardId] = set()
        self._seen: dict[str, StoredEvent] = {}
        self._first: list[int | StoredEvent] = []
        self._keys: dict[str, int] = {}
        self._new: list[NewEvent] = []

    def carry_out(self, transaction: Transaction, clock: Clock) -> list[StoredEvent]:
        """Work out what is to be written, and append it.

        Raises:
            InvalidInput: events of boards that do not exist at their place in the batch.
        """
        self._seen = transaction.seen({one.key for one in self._batch if one.key is not None})
        ids = {one.event.board_id for one in self._batch}
        self._known = transaction.known_boards({id for id in ids if id is not None})
        for board_id in _needed(self._batch) & self._known - self._boards.keys():
            if (found := transaction.board(board_id)) is not None:
                self._boards[board_id] = found.board
        self._react(clock())
        return transaction.append(self._new, self._boards)

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
                self._take(incoming, incoming.at or now)
        if unknown:
            raise InvalidInput(*unknown)

    def outcome(self, stored: Sequence[StoredEvent]) -> list[tuple[StoredEvent, bool]]:
        """Return for each event of the batch the stored one and whether it is a duplicate."""
        outcome: list[tuple[StoredEvent, bool]] = []
        answered: set[int] = set()
        for first in self._first:
            if isinstance(first, StoredEvent):
                outcome.append((first, True))
            else:
                outcome.append((stored[first], first in answered))
                answered.add(first)
        return outcome

    def _exists(self, event: DomainEvent) -> bool:
        board_id = event.board_id
        return board_id is None or board_id in self._known or type(event) is events.ProjectCreated

    def _take(self, incoming: Incoming, at: datetime) -> None:
        event = incoming.event
        if incoming.key is not None:
            self._keys[incoming.key] = len(self._new)
        self._first.append(len(self._new))
        board = self._boards.get(event.board_id) if self._boards and event.board_id is not None else None
        made = react(board, event, at)
        if type(event) is events.ProjectCreated and board is None:
            board = self._boards[BoardId(event.project_id)] = Board(new_project(event, at))
            self._known.add(BoardId(event.project_id))
        if board is not None:
            _fold(board, made)
        if type(event) is events.ProjectDeleted:
            self._known.discard(BoardId(event.project_id))
            self._boards.pop(BoardId(event.project_id), None)
        self._new.append(_new(made[0], incoming.key))
        self._new += [_new(consequence) for consequence in made[1:]]


def _needed(batch: Sequence[Incoming]) -> set[BoardId]:
    """Return the boards that matter to an event of the batch."""
    needed = {one.event.board_id for one in batch if needs_board(one.event)}
    return {board_id for board_id in needed if board_id is not None}


def _log_fault(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, Refused):
        log.error("a command failed after its caller had gone", exc_info=error)


def _fold(board: Board, made: Sequence[Recorded]) -> list[Fold]:
    folds: list[Fold] = []
    for recorded in made:
        before = board.state
        board.apply(recorded)
        folds.append(Fold(recorded, before, board.state))
    return folds


def _new(recorded: Recorded, key: str | None = None) -> NewEvent:
    board_id = recorded.event.board_id
    channel: Channel = EVERYBODY if board_id is None else board_channel(board_id)
    return NewEvent(channel, recorded, key)
