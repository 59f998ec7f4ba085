"""Writes groups of units: decide in one transaction, publish, and keep the boards at hand for the next group."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import nullcontext
from time import monotonic
from typing import Any, Protocol

from realtime.clock import iso
from realtime.errors import Refused, StoreUnavailable, UnitConflict
from realtime.fanout.counters import Counters
from realtime.kanban.events import ProjectDeleted
from realtime.kanban.ids import BoardId
from realtime.ports import (
    UNTRACED,
    EventStore,
    HistoryReader,
    Span,
    StoredBoard,
    StoredEvent,
    Transaction,
    WriteSpans,
)
from realtime.views.board_views import BoardViews
from realtime.views.repair import Repair
from realtime.writing.lock_interval import lock_interval
from realtime.writing.publisher import Publisher
from realtime.writing.recent_boards import RecentBoards
from realtime.writing.write_group import BoardsAtHand, Result, Unit, carry_out, stored_of
from realtime.writing.write_units import board_of_view

__all__ = ["GroupWriter", "LogStore"]

log = logging.getLogger(__name__)

#: Most times that a group is decided, because other processes were faster.
MOST_CONFLICTS = 10
#: The result or refusal of each unit of a group, and all events that it has stored.
_Written = tuple[list[Result | Refused], list[StoredEvent]]


class LogStore(EventStore, HistoryReader, Protocol):
    """A store with its log."""


class GroupWriter:
    """Writes one group after the other."""

    def __init__(
        self,
        store: LogStore,
        views: BoardViews,
        recent: RecentBoards,
        publisher: Publisher,
        repair: Repair,
        counters: Counters,
    ) -> None:
        """Write to `store`; a board in `views` or `recent` is not loaded. `recent` gets the boards of each group."""
        self._store = store
        self._counters = counters
        self._views = views
        self._recent = recent
        self._publisher = publisher
        self._repair = repair
        self.spans: WriteSpans = UNTRACED

    async def write(self, units: Sequence[Unit[Any]]) -> list[Result | Exception]:
        """Carry out the units of a group, and publish them; return the result of each, or its error."""
        try:
            with self.spans.commit(units):
                results, stored = await self._decided(units)
        except StoreUnavailable as away:
            return [away] * len(units)
        except Exception as fault:  # noqa: BLE001 - it is the answer
            if len(units) == 1:
                return [fault]
            # One of them is at fault, and has undone the transaction for all.
            return [result for unit in units for result in await self.write([unit])]
        done = [result for result in results if not isinstance(result, Refused)]
        if stored:
            with self.spans.fan_out(units, len(stored)):
                await self._publisher.publish(stored, done)
        self._cache_recent(stored, done)
        return list(results)

    def _at_hand(self, board_id: BoardId) -> StoredBoard | None:
        """Return a copy of a board that is watched or was written lately; None if there is none in memory."""
        view = self._views.get(board_id)
        return board_of_view(view) if view else self._recent.get(board_id)

    def _cache_recent(self, stored: Sequence[StoredEvent], done: Sequence[Result]) -> None:
        """Cache the boards of a group as they are after it; a watched board is in its view already.

        The group is stored, so a failure is no error: the next unit compares a cached board with its log, or loads it.
        """
        try:
            for event in stored:
                if type(event.recorded.event) is ProjectDeleted:
                    self._recent.forget(BoardId(event.recorded.event.project_id))
            last = {found.board.id: found for result in done for found in result.boards}
            for found in last.values():
                if found.board.id in self._views:
                    self._recent.forget(found.board.id)
                else:
                    self._recent.put(found)
        except Exception:
            log.exception("the boards of a stored group could not be cached")

    async def _decided(self, units: Sequence[Unit[Any]]) -> _Written:
        """Run a group; if another process was faster, run it again, on the boards as they are then.

        Raises:
            UnitConflict: that did not help, and one of several units may be at fault.
            StoreUnavailable: that did not help a single unit.
        """
        for left in reversed(range(MOST_CONFLICTS)):
            try:
                return await self._transact(units)
            except UnitConflict as conflict:
                log.info("a group is decided again: %s", conflict)
                if not left and len(units) > 1:
                    raise
        raise StoreUnavailable("other processes write to the same boards all the time")

    async def _transact(self, units: Sequence[Unit[Any]]) -> _Written:
        """Run the units in a transaction. If the commit succeeded but the store raised, the units count as stored.

        Raises:
            StoreUnavailable: nothing is stored, or the log cannot be read to find that out: so no caller may repeat it.
        """
        made: list[_Written] = []
        boards = {board_id: found for unit in units for board_id in unit.needs if (found := self._at_hand(board_id))}
        at_hand = BoardsAtHand(boards)

        def carried_out(transaction: Transaction) -> _Written:
            results = carry_out(units, transaction, at_hand)
            made[:] = [(results, stored_of(results))]
            return made[0]

        began = monotonic()
        heavy = any(unit.is_heavy for unit in units)
        try:
            with lock_interval.hurried() if heavy else nullcontext():
                written = await self._store.transact(carried_out)
            self._counters.store_write.observe(monotonic() - began)
            return written
        except Exception:
            self._forget_loaded(units)
            if not made or not made[0][1]:
                raise
            if await self._is_in_log(made[0][1]):
                log.exception("a group is stored, but the store did not say so")
                return made[0]
            raise

    def _forget_loaded(self, units: Sequence[Unit[Any]]) -> None:
        """Forget the boards that an undone group has loaded: they may have its first events, which are in no log."""
        for unit in units:
            for board_id in unit.needs:
                self._recent.forget(board_id)

    async def _is_in_log(self, stored: Sequence[StoredEvent]) -> bool:
        """Return whether the last event is in the log, and so all are.

        Raises:
            StoreUnavailable: the log cannot be read. Once it can, subscribers get what is there.
        """
        last = stored[-1]
        try:
            span = Span(last.offset - 1, last.offset, last.offset, last.offset)
            found = await self._store.events(last.channel, span, 1)
        except Exception as unknown:
            self._repair.note_lost(stored)
            log.warning("nobody knows whether a group is stored: %s", unknown)
            raise StoreUnavailable("the database does not say whether the request is stored") from unknown
        return [_identity(one) for one in found] == [_identity(last)]


def _identity(stored: StoredEvent) -> tuple[Any, ...]:
    """Return a value that distinguishes an event from any other event at the same offset."""
    recorded = stored.recorded
    return stored.offset, recorded.event.type, recorded.event.payload_json(), iso(recorded.at), recorded.changes
