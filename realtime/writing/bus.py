"""The bus decides the order of events: it appends to the log and then publishes, one group of units after the other.

Commands and events from outside take the same path: decide on the board inside the transaction, append, commit, pass to
the broker. Publishing comes before the next transaction, so subscribers get the events in the order of the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from realtime.clock import Clock
from realtime.errors import Refused, StoreUnavailable
from realtime.fanout.counters import Counters
from realtime.fanout.writer_priority import WriterPriority
from realtime.kanban.commands import Command
from realtime.kanban.ids import BoardId
from realtime.kanban.incoming import Incoming
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.messages.position import Position, channel_tag
from realtime.ports import (
    UNTRACED,
    Broker,
    FirstAnswer,
    RequestKey,
    StoredBoard,
    StoredEvent,
    Transaction,
    WriteSpans,
)
from realtime.rates import WriteLimits
from realtime.views.board_views import BoardViews
from realtime.views.repair import Repair
from realtime.writing.command_unit import Ask, CommandUnit, Decision, Executed
from realtime.writing.group_writer import GroupWriter, LogStore
from realtime.writing.ingest_plan import IngestPlan, Sender, needed_boards, parts_of
from realtime.writing.publisher import Publisher
from realtime.writing.recent_boards import RecentBoards
from realtime.writing.repeats import first_answer
from realtime.writing.write_group import BoardsAtHand, Result, Unit
from realtime.writing.write_queue import WriteQueue

__all__ = ["Accepted", "Bus", "Outcome"]

_R = TypeVar("_R", bound=Result)
log = logging.getLogger(__name__)

#: The result of a request, its refusal, or the reason why its first answer cannot be read now.
Outcome = Executed | Refused | StoreUnavailable
#: The sender of the server's own events.
SERVER = Sender()


class Accepted(NamedTuple):
    """The answer to one event: its cursor, and whether it is a duplicate (then nothing was published)."""

    name: str
    cursor: str
    duplicate: bool
    #: The channel of the stored event, and its offset there.
    channel: Channel
    offset: int


class Bus:
    """The only way into the log.

    If a caller is cancelled (its client went away), its work continues. A command is carried out as a whole or not at
    all. Stored events are always published.
    """

    def __init__(
        self,
        store: LogStore,
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
        self._views = views
        self._clock = clock
        self._priority = priority
        self._repair = repair
        self._counters = counters if counters is not None else Counters()
        self._limits = limits if limits is not None else WriteLimits()
        publisher = Publisher(broker, views, repair, self._counters)
        self._recent = RecentBoards()
        self._writer = GroupWriter(store, views, self._recent, publisher, repair, self._counters)
        self._queue = WriteQueue(self._writer.write, self._counters)
        self._spans: WriteSpans = UNTRACED

    def trace_with(self, spans: WriteSpans) -> None:
        """Note the steps of all writing with `spans` from now on."""
        self._spans = self._writer.spans = spans

    async def execute(self, board_id: BoardId, *commands: Command, key: RequestKey | None = None) -> Executed:
        """Carry out commands on one board, all or none, and publish their events.

        A repeated `key` gives the first answer again and changes nothing.

        Raises:
            NotFound: the board (`board_not_found`), or a card, column or attempt does not exist.
            Conflict, InvalidInput: see `commands.decide`; nothing was changed.
            KeyReused: other commands have used the key; nothing was changed.
            LimitReached: the client sends too many requests, or the board would become too large; nothing was changed.
            StoreUnavailable: nothing was changed; the caller may try again.
        """
        (executed,) = await self._carry_out(board_id, [Ask(commands, key)], refusable=False)
        if isinstance(executed, Exception):
            try:
                raise executed
            finally:
                del executed  # it refers to this frame now
        return executed

    async def execute_each(self, board_id: BoardId, asks: Sequence[Ask]) -> list[Outcome]:
        """Carry out requests with one command each in one unit, except refused ones; return each outcome.

        Raises:
            NotFound: the board does not exist.
            LimitReached: as in `execute`; none of the commands changed anything.
            StoreUnavailable: nothing was changed; the caller may try again.
        """
        each = await self._carry_out(board_id, asks, refusable=True)
        for one in each:
            if isinstance(one, Refused):
                self._counters.commands_refused[one.code] += 1
        return each

    async def _carry_out(self, board_id: BoardId, asks: Sequence[Ask], *, refusable: bool) -> list[Outcome]:
        def decided(transaction: Transaction, at_hand: BoardsAtHand) -> Decision:
            # The time at which the unit is decided, so that the times in a log follow its order.
            unit = CommandUnit(board_id, asks, self._clock(), self._limits.capacity, refusable=refusable)
            board = at_hand.take(board_id) or self._recent.get(board_id)
            return unit.carry_out(transaction, self._store.epoch, board, self._recent)

        parts = sum(len(ask.commands) for ask in asks)
        try:
            self._limits.commands.spend(parts)
            decision = await self._whole(
                Unit(frozenset({board_channel(board_id)}), frozenset({board_id}), parts, decided)
            )
        except Refused as refused:
            self._counters.commands_refused[refused.code] += 1
            raise
        board = None if decision.folds else next(iter(decision.boards), None)
        return [
            await first_answer(self._store, self._store.epoch, board_id, one, board)
            if isinstance(one, FirstAnswer)
            else one
            for one in decision.each
        ]

    async def ingest(self, batch: Sequence[Incoming], sender: Sender = SERVER) -> list[Accepted]:
        """Store and publish events from outside, all or none, in the given order.

        Raises:
            KeyReused: an event has the id of another one; the error has the index of each.
            InvalidInput: an event names a board that does not exist; the error has index and field of each.
            LimitReached: the client sends too many events, or an event would exceed a capacity.
            StoreUnavailable: nothing was stored; the caller may try again.
        """

        def planned(transaction: Transaction, at_hand: BoardsAtHand) -> _Ingested:
            boards = {board_id: found for board_id in needed if (found := at_hand.take(board_id))}
            return self._append_incoming(transaction, batch, IngestPlan(batch, boards, self._limits.capacity, sender))

        self._limits.events.spend(len(batch))
        # A hidden board is no channel of the unit: its reports are refused, and must not wait for its other writers.
        boards = {one.event.board_id for one in batch} - sender.hidden
        channels = {EVERYBODY if one is None else board_channel(one) for one in boards}
        needed = frozenset(needed_boards(batch) - sender.hidden)
        ingested = await self._whole(Unit(frozenset(channels), needed, parts_of(batch), planned))
        return ingested.answer

    async def aclose(self) -> None:
        """Wait for running work, then stop the repair."""
        await self._queue.aclose()
        await self._repair.aclose()

    async def _whole(self, unit: Unit[_R]) -> _R:
        """Return the result of a unit, which is carried out even if the caller is cancelled."""
        answer = self._queue.put(unit)
        try:
            with self._spans.unit(unit, unit.needs, unit.parts), self._priority.taken():
                result: _R = await asyncio.shield(answer)
                return result
        except asyncio.CancelledError:
            answer.add_done_callback(_log_fault)  # no caller is left to see an exception
            raise
        finally:
            del answer  # its exception refers to this frame

    def _append_incoming(self, transaction: Transaction, batch: Sequence[Incoming], plan: IngestPlan) -> _Ingested:
        """Append the events that result from a batch from outside."""
        stored = plan.carry_out(transaction, self._clock)
        places = zip(batch, plan.outcome(stored), strict=True)
        answer = [
            Accepted(
                incoming.event.type, self._position(event.channel, event).cursor, duplicate, event.channel, event.offset
            )
            for incoming, (event, duplicate) in places
        ]
        return _Ingested(answer, stored, plan.boards(stored))

    def _position(self, channel: Channel, at: StoredEvent | FirstAnswer) -> Position:
        return Position(self._store.epoch, channel_tag(channel), at.offset, at.global_offset)


class _Ingested(NamedTuple):
    """The result of a batch from outside."""

    answer: list[Accepted]
    stored: list[StoredEvent]
    #: The boards of the batch as they are after it.
    boards: list[StoredBoard]


def _log_fault(answer: asyncio.Future[Any]) -> None:
    error = None if answer.cancelled() else answer.exception()
    if error is not None and not isinstance(error, Refused):
        log.error("a command failed after its caller had gone", exc_info=error)
