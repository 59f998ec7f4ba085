"""Repair: events that did not reach the subscribers of this node are read from the log and delivered, soon.

The bus reports a board when a publish fails or a batch does not arrive; a view reports one when an event is not the
next. Then a task reads the log from the position of the board's view, and passes the events to the dispatcher. If the
log does not reach back so far, the view is loaded again, and its subscribers get a `gap`. While nothing is missing,
there is no task, and nothing is polled.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from realtime.errors import StoreUnavailable
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.messages.position import Position
from realtime.ports import BoardReader, HistoryReader, Span, StoredEvent
from realtime.views.board_view import REPAIR_WAIT_SECONDS, BoardView
from realtime.views.board_views import BoardViews
from realtime.views.dashboard_feed import DashboardFeed
from realtime.views.dispatcher import Dispatcher

__all__ = ["Repair"]

#: Seconds between two tries: the pause doubles from the first value up to the last. The first try is immediate.
RETRY_SECONDS = (0.05, 0.5)
#: Events that are read in one call.
PAGE_EVENTS = 500
#: An offset greater than all others.
_LAST: Final = 2**62
#: Failed tries to deliver the events of the log, after which subscribers get a `gap` and the current state instead.
MAX_TRIES = 3

log = logging.getLogger(__name__)


class LogReader(BoardReader, HistoryReader, Protocol):
    """The parts of a store that repair needs."""


class Repair:
    """Brings views and the dashboard up to date with the log. The bus owns and closes it."""

    def __init__(self, reader: LogReader, views: BoardViews, dashboard: DashboardFeed, dispatcher: Dispatcher) -> None:
        """Read with `reader`; register for reports of the views and the dashboard."""
        self._reader = reader
        self._views = views
        self._dashboard = dashboard
        self._dispatcher = dispatcher
        #: Boards that are behind (None: the dashboard) → number of the last report of it.
        self._behind: dict[BoardId | None, int] = {}
        self._reports = 0
        self._tries: dict[BoardId | None, int] = {}
        #: Set when another board is behind, which must not wait for the pause after a failure.
        self._news = asyncio.Event()
        #: Set, and replaced, when a board or the dashboard is up to date.
        self._finished = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        #: Times that a board or the dashboard was brought up to date.
        self.repairs = 0
        views.on_behind = self.note
        dashboard.on_behind = lambda: self.note(None)

    def __len__(self) -> int:
        """Return the number of boards that are behind; the dashboard counts as one."""
        return len(self._behind)

    def note(self, board_id: BoardId | None) -> None:
        """Record that a board may be behind its log (None: the dashboard); the repair runs soon."""
        self._reports += 1
        if board_id not in self._behind:
            self._news.set()
        self._behind[board_id] = self._reports
        if self._task is None and not self._is_closed:
            self._task = asyncio.create_task(self._run(), name="repair")

    def note_lost(self, batch: Iterable[StoredEvent]) -> None:
        """Record that a stored batch may not have reached everything that it affects."""
        boards = {stored.recorded.event.board_id for stored in batch}
        for board_id in set(self._views.watched()) if None in boards else boards:
            if board_id is not None:
                self._views.fall_behind(board_id)
        self.note(None)

    async def finished(self, board_id: BoardId | None) -> None:
        """Return once a board (None: the dashboard) has everything in its log, as far as known.

        Raises:
            StoreUnavailable: it took too long, because the log cannot be read.
        """
        try:
            async with asyncio.timeout(REPAIR_WAIT_SECONDS):
                while board_id in self._behind:
                    await self._finished.wait()
        except TimeoutError:
            raise StoreUnavailable("missed events could not be read from the log") from None

    def has_delivered(self, batch: Sequence[StoredEvent]) -> bool:
        """Return whether `batch` is the last one that the broker delivered here."""
        return self._dispatcher.last == (batch[-1].channel, batch[-1].offset)

    async def aclose(self) -> None:
        """Stop repairing, and wait for the repair that runs. Allowed several times."""
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        first, longest = RETRY_SECONDS
        pause = first
        while self._behind:
            self._news.clear()
            faults = [await self._has_failed(board_id) for board_id in list(self._behind)]
            if not any(faults):
                pause = first
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._news.wait()
            pause = min(2 * pause, longest)
        self._task = None

    async def _has_failed(self, board_id: BoardId | None) -> bool:
        """Repair one board or the dashboard; return whether that failed and must be tried again."""
        try:
            report = self._behind[board_id]
            is_done = await (self._repair_dashboard() if board_id is None else self._repair_board(board_id))
            # There is no await between the last read of the log and this line, so a later event has a newer report.
            if is_done and self._behind[board_id] == report:
                self._finish(board_id)
            return not is_done
        except StoreUnavailable as away:
            log.warning("missed events could not be read from the log; that is tried again: %s", away)
        except Exception:
            self._tries[board_id] = self._tries.get(board_id, 0) + 1
            log.exception("missed events could not be delivered; that is tried again")
        return True

    def _finish(self, board_id: BoardId | None) -> None:
        del self._behind[board_id]
        self._finished.set()
        self._finished = asyncio.Event()
        self.repairs += 1
        self._tries.pop(board_id, None)
        view = self._views.loaded(board_id) if board_id is not None else None
        if view is not None:
            view.catch_up()

    async def _repair_dashboard(self) -> bool:
        """Deliver the missed global events to dashboards and boards; return False if that failed, to try again."""
        # Even if no global event was missed, because changes reach the dashboard in the same batches.
        self._dashboard.changed()
        while True:
            after = self._dashboard.global_offset
            page = await self._reader.events(EVERYBODY, Span(0, 0, after, _LAST), PAGE_EVENTS)
            if page[0].offset > after + 1 if page else await self._reader.pruned(EVERYBODY) > after:
                self._dashboard.resync(await self._reader.offset(EVERYBODY))
            elif page:
                self._dispatcher.deliver(page)
                if self._dashboard.global_offset < page[-1].offset:
                    return False
            if not page:
                return True

    async def _repair_board(self, board_id: BoardId) -> bool:
        """Deliver the log from the position of the board's view; return False if it is loading, to try again."""
        view = self._views.loaded(board_id)
        if view is None:
            self._dispatcher.end_again(board_id)
            return board_id not in self._views
        view.fall_behind()  # until the end of the repair, only the log changes the view
        if self._tries.get(board_id, 0) >= MAX_TRIES or not await self._restore(board_id, view):
            return await self._reload(board_id, view)
        while self._views.loaded(board_id) is view:
            at = view.position
            span = Span(at.offset, _LAST, at.global_offset, _LAST)
            page = await self._reader.events(board_channel(board_id), span, PAGE_EVENTS)
            if not _leads_on(at, page) or (not page and await self._is_cut(board_id, at)):
                return await self._reload(board_id, view)
            if self._views.loaded(board_id) is view:
                self._dispatcher.catch_up(board_id, view, page)
                self._note_others(view.position.global_offset)
            if not page:
                break
        return True

    async def _restore(self, board_id: BoardId, view: BoardView) -> bool:
        """Restore a broken view to its subscribers' position; return False if the log does not reach back so far."""
        if view.is_broken:
            at = view.position
            board = await self._reader.past_board(board_id, at.offset)
            if board is None:
                return False
            view.restore(board, at)
        return True

    async def _is_cut(self, board_id: BoardId, at: Position) -> bool:
        cut, globally = await self._reader.pruned(board_channel(board_id)), await self._reader.pruned(EVERYBODY)
        return cut > at.offset or globally > at.global_offset

    async def _reload(self, board_id: BoardId, view: BoardView) -> bool:
        """Load the current board, and resync its subscribers with a `gap` and that state."""
        found = await self._reader.board(board_id)
        if self._views.loaded(board_id) is not view:
            return True
        if found is None:
            self._dispatcher.end(board_id)
        else:
            position = view.position._replace(offset=found.offset, global_offset=found.global_offset)
            view.restore(found.board, position)
            self._dispatcher.resync(board_id)
        return True

    def _note_others(self, global_offset: int) -> None:
        """Record the boards, and the dashboard, that have missed a global event up to this one."""
        for board_id in self._views.watched():
            at = self._views.position(board_id)
            if at is not None and at.global_offset < global_offset:
                self._views.fall_behind(board_id)
        if self._dashboard.global_offset < global_offset:
            self.note(None)


def _leads_on(at: Position, page: Sequence[StoredEvent]) -> bool:
    """Return whether a page of both logs continues at the position of a view, with nothing missing."""
    own = [stored.offset for stored in page if stored.channel != EVERYBODY]
    everybody = [stored.offset for stored in page if stored.channel == EVERYBODY]
    return own == list(range(at.offset + 1, at.offset + 1 + len(own))) and everybody == list(
        range(at.global_offset + 1, at.global_offset + 1 + len(everybody))
    )
