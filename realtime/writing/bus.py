"""The bus decides the order of events: it appends to the log and then publishes, one write unit after the other.

Commands and events from outside take the same path: decide on the board inside the transaction, append, commit, pass to
the broker. Publishing comes before the next transaction, so subscribers get the events in the order of the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from realtime.clock import Clock, iso
from realtime.errors import NotFound, Refused, StoreUnavailable
from realtime.fanout.counters import Counters
from realtime.fanout.writer_priority import WriterPriority
from realtime.kanban.board import Board, Recorded
from realtime.kanban.capacity import check_board
from realtime.kanban.commands import Command, decide
from realtime.kanban.events import ProjectDeleted
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.messages.position import Position, channel_tag
from realtime.ports import Broker, EventStore, HistoryReader, Span, StoredBoard, StoredEvent, Transaction
from realtime.rates import WriteLimits
from realtime.views.board_views import BoardViews, Fold
from realtime.views.repair import Repair
from realtime.writing.ingest_plan import HEAVY_PARTS, IngestPlan, is_heavy, needed_boards
from realtime.writing.recent_boards import RecentBoards
from realtime.writing.turns import Turns
from realtime.writing.write_units import board_of_view, checked_board, fold_all, new_events

__all__ = ["Accepted", "Bus", "Executed"]

_T = TypeVar("_T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Executed:
    """The result of a command: the board after it, and the position of that board."""

    board: Board
    position: Position
    #: The recorded events, in order; empty if the command changed nothing.
    recorded: tuple[Recorded, ...]


class Accepted(NamedTuple):
    """The answer to one event: its cursor, and whether it is a duplicate (then nothing was published)."""

    name: str
    cursor: str
    duplicate: bool


class BusStore(EventStore, HistoryReader, Protocol):
    """The parts of a store that the bus needs."""


class Bus:
    """The only way into the log.

    If a caller is cancelled (its client went away), its work continues. A command is carried out as a whole or not at
    all. Stored events are always published.
    """

    def __init__(
        self,
        store: BusStore,
        broker: Broker,
        views: BoardViews,
        clock: Clock,
        priority: WriterPriority,
        repair: Repair,
        counters: Counters | None = None,
        limits: WriteLimits | None = None,
    ) -> None:
        """Write to `store` with `priority`, publish to `broker`; a board in `views` need not be loaded.

        `repair` delivers events whose publishing failed; the bus closes it. `limits` bound the stored data, and the
        requests of each client per second.
        """
        self._store = store
        self._broker = broker
        self._views = views
        self._clock = clock
        self._priority = priority
        self._repair = repair
        self._counters = counters if counters is not None else Counters()
        self._limits = limits if limits is not None else WriteLimits()
        self._turns = Turns()
        self._recent = RecentBoards()
        self._running: set[asyncio.Task[Any]] = set()

    async def execute(self, board_id: BoardId, *commands: Command) -> Executed:
        """Carry out commands on one board, all or none, and publish their events.

        Raises:
            NotFound: the board (`board_not_found`), or a card, column or attempt does not exist.
            Conflict, InvalidInput: see `commands.decide`; nothing was changed.
            LimitReached: the client sends too many requests, or the board would become too large; nothing was changed.
            StoreUnavailable: nothing was changed; the caller may try again.
        """
        return (await self._carry_out(board_id, commands, refusable=False)).answer

    async def execute_each(self, board_id: BoardId, commands: Sequence[Command]) -> list[Executed | Refused]:
        """Carry out commands on one board in one unit, except refused ones; return the result or refusal of each.

        Raises:
            NotFound: the board does not exist.
            LimitReached: as in `execute`; none of the commands changed anything.
            StoreUnavailable: nothing was changed; the caller may try again.
        """
        each = (await self._carry_out(board_id, commands, refusable=True)).each
        for one in each:
            if isinstance(one, Refused):
                self._counters.commands_refused[one.code] += 1
        return each

    async def _carry_out(self, board_id: BoardId, commands: Sequence[Command], *, refusable: bool) -> _Decision:
        try:
            self._limits.commands.spend(len(commands))
            return await self._whole(self._execute(board_id, commands, refusable=refusable))
        except Refused as refused:
            self._counters.commands_refused[refused.code] += 1
            raise

    async def ingest(
        self, batch: Sequence[Incoming], hidden: AbstractSet[BoardId | None] = frozenset()
    ) -> list[Accepted]:
        """Store and publish events from outside, all or none, in the given order.

        Boards in `hidden` do not exist for the sender. If None is in `hidden`, neither do global events.

        Raises:
            InvalidInput: an event names a board that does not exist; the error has index and field of each.
            LimitReached: the client sends too many events, or an event would exceed a capacity.
            StoreUnavailable: nothing was stored; the caller may try again.
        """
        self._limits.events.spend(len(batch))
        return await self._whole(self._ingest(batch, hidden))

    async def aclose(self) -> None:
        """Wait for running work, then stop the repair."""
        if self._running:
            await asyncio.wait(self._running)
        await self._repair.aclose()

    async def _whole(self, work: Coroutine[Any, Any, _T]) -> _T:
        task = asyncio.create_task(work, name="bus")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            with self._priority.taken():
                return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_fault)  # no caller is left to see an exception
            raise

    async def _execute(self, board_id: BoardId, commands: Sequence[Command], *, refusable: bool) -> _Decision:
        async with self._turns.taken({board_channel(board_id)}, is_heavy=len(commands) > HEAVY_PARTS):
            now = self._clock()  # not before its turn, so that the times in a log follow its order
            at_hand = self._at_hand(board_id)
            decision = await self._transact(
                lambda transaction: self._decide(transaction, at_hand, board_id, commands, now, refusable)
            )
            await self._publish(decision)
            self._cache_recent(decision.stored, decision.boards)
        return decision

    def _decide(
        self,
        transaction: Transaction,
        at_hand: StoredBoard | None,
        board_id: BoardId,
        commands: Sequence[Command],
        now: datetime,
        refusable: bool,
    ) -> _Decision:
        """Decide commands on a board inside this transaction, and append their events.

        The answer is complete here, because nothing after the commit may fail in a way that the caller would see.
        """
        found = checked_board(transaction, board_id, at_hand)
        if found is None:
            raise NotFound("Board not found", "board_not_found")
        if at_hand is None:
            self._recent.put(found)  # even if the commands are refused
        before = found.board.state
        folds, ends = _fold_each(found.board, commands, now, refusable)
        check_board(before, found.board.state, [fold.recorded for fold in folds], self._limits.capacity)
        new = new_events([fold.recorded for fold in folds])
        # A deleted board needs no snapshot.
        boards = {} if any(type(fold.recorded.event) is ProjectDeleted for fold in folds) else {board_id: found.board}
        stored = transaction.append(new, boards, {board_id: found.offset})
        places: list[StoredBoard | StoredEvent] = [found, *stored]
        position = [self._position(board_channel(board_id), at) for at in places]
        recorded = tuple(fold.recorded for fold in folds)
        each = [
            end if isinstance(end, Refused) else Executed(end.board, position[end.last], recorded[end.first : end.last])
            for end in ends
        ]
        behind = [
            StoredBoard(board, stored[-1].offset, stored[-1].global_offset) for board in boards.values() if stored
        ]
        return _Decision(Executed(found.board, position[-1], recorded), each, stored, folds, behind)

    def _at_hand(self, board_id: BoardId) -> StoredBoard | None:
        """Return a copy of a board that is watched or was written lately; None if there is none in memory."""
        view = self._views.get(board_id)
        return board_of_view(view) if view else self._recent.get(board_id)

    def _cache_recent(self, stored: Sequence[StoredEvent], behind: Sequence[StoredBoard]) -> None:
        """Cache the boards of a unit as they are after it; a watched board is in its view already.

        The unit is stored, so a failure is no error: the next unit compares a cached board with its log, or loads it.
        """
        try:
            for event in stored:
                if type(event.recorded.event) is ProjectDeleted:
                    self._recent.forget(BoardId(event.recorded.event.project_id))
            for found in behind:
                if found.board.id in self._views:
                    self._recent.forget(found.board.id)
                else:
                    self._recent.put(found)
        except Exception:
            log.exception("the boards of a stored unit could not be cached")

    async def _ingest(self, batch: Sequence[Incoming], hidden: AbstractSet[BoardId | None]) -> list[Accepted]:
        channels = {EVERYBODY if (id := one.event.board_id) is None else board_channel(id) for one in batch}
        async with self._turns.taken(channels, is_heavy=is_heavy(batch)):
            at_hand = {one: found for one in needed_boards(batch) if (found := self._at_hand(one))}
            plan = IngestPlan(batch, at_hand, self._limits.capacity, hidden)
            ingested = await self._transact(lambda transaction: self._append_incoming(transaction, batch, plan))
            await self._publish(ingested)
            self._cache_recent(ingested.stored, ingested.boards)
        return ingested.answer

    def _append_incoming(self, transaction: Transaction, batch: Sequence[Incoming], plan: IngestPlan) -> _Ingested:
        """Append the events that result from a batch from outside."""
        stored = plan.carry_out(transaction, self._clock)
        places = zip(batch, plan.outcome(stored), strict=True)
        answer = [
            Accepted(incoming.event.type, self._position(event.channel, event).cursor, duplicate)
            for incoming, (event, duplicate) in places
        ]
        return _Ingested(answer, stored, plan.boards(stored))

    async def _transact(self, work: Callable[[Transaction], _U]) -> _U:
        """Run a write unit. If the commit succeeded but the store raised, the unit counts as stored."""
        made: list[_U] = []

        def carried_out(transaction: Transaction) -> _U:
            made[:] = [work(transaction)]
            return made[0]

        try:
            return await self._store.transact(carried_out)
        except Exception:
            if not made or not made[0].stored:
                raise
            if await self._is_in_log(made[0].stored[-1]):
                log.exception("a unit is stored, but the store did not say so")
                return made[0]
            raise

    async def _is_in_log(self, stored: StoredEvent) -> bool:
        try:
            last = Span(stored.offset - 1, stored.offset, stored.offset, stored.offset)
            found = await self._store.events(stored.channel, last, 1)
        except StoreUnavailable:
            self._repair.note_lost([stored])  # once the log can be read again, subscribers get the event if it is there
            return False
        return [_identity(one) for one in found] == [_identity(stored)]

    async def _publish(self, unit: _Decision | _Ingested) -> None:
        """Publish a unit to all nodes. It is stored, so a failure is no error: the repair delivers it from the log."""
        if not unit.stored:
            return
        try:
            self._counters.events_stored += len(unit.stored)
            if isinstance(unit, _Decision) and (view := self._views.get(unit.answer.board.id)):
                view.prime(unit.folds)
            await self._broker.publish(unit.stored)
            if self._repair.has_delivered(unit.stored):
                return
            log.error("the broker did not deliver what was published, it is read from the log")
        except Exception:
            log.exception("what was stored could not be published, it is read from the log")
        except BaseException:
            self._repair.note_lost(unit.stored)
            raise
        self._repair.note_lost(unit.stored)

    def _position(self, channel: Channel, at: StoredEvent | StoredBoard) -> Position:
        return Position(self._store.epoch, channel_tag(channel), at.offset, at.global_offset)


class _Unit(Protocol):
    """The result of a write unit."""

    @property
    def stored(self) -> Sequence[StoredEvent]:
        """The appended events."""


_U = TypeVar("_U", bound=_Unit)


class _Ingested(NamedTuple):
    """The result of a batch from outside."""

    answer: list[Accepted]
    stored: list[StoredEvent]
    #: The boards of the batch as they are after it.
    boards: list[StoredBoard]


class _Decision(NamedTuple):
    """The result of commands."""

    #: The result of all commands together.
    answer: Executed
    #: The result or refusal of each command.
    each: list[Executed | Refused]
    stored: list[StoredEvent]
    folds: list[Fold]
    #: The board after the commands, unless it was deleted.
    boards: list[StoredBoard]


class _End(NamedTuple):
    """The board after one command, and the range of the unit's folds that belong to the command."""

    board: Board
    first: int
    last: int


def _fold_each(
    board: Board, commands: Sequence[Command], now: datetime, refusable: bool
) -> tuple[list[Fold], list[_End | Refused]]:
    """Decide each command on the board after the earlier ones; if `refusable`, a refusal does not stop the rest."""
    folds: list[Fold] = []
    ends: list[_End | Refused] = []
    for command in commands:
        first = len(folds)
        try:
            made = decide(board, command, now)
        except Refused as refused:
            if not refusable:
                raise
            ends.append(refused)
            continue
        folds += fold_all(board, made)
        ends.append(_End(board.copy() if refusable else board, first, len(folds)))
    return folds, ends


def _log_fault(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, Refused):
        log.error("a command failed after its caller had gone", exc_info=error)


def _identity(stored: StoredEvent) -> tuple[Any, ...]:
    """Return a value that distinguishes an event from any other event at the same offset."""
    recorded = stored.recorded
    return stored.offset, recorded.event.type, recorded.event.payload_json(), iso(recorded.at), recorded.changes
