"""Board views: the current state of each *watched* board, in memory, folded from events (docs/architecture.md).

The first subscriber loads a view, and it is dropped when the last one leaves. Events that are published during the
load wait; those that the loaded rows already include are skipped. A view accepts exactly the next event. It ignores an
event that it has, and if one is missing, it waits for `realtime.views.repair`, which reads the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from realtime.errors import NotFound
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.messages.position import Position, channel_tag
from realtime.ports import BoardReader, StoredBoard, StoredEvent
from realtime.tasks import retrieve
from realtime.views.board_view import BoardView, Fold

__all__ = ["BoardView", "BoardViews", "Fold"]

#: Most events that wait for a view to load; if there are more, they are read from the log afterwards.
MAX_WAITING_EVENTS = 10_000

log = logging.getLogger(__name__)


class _Watch:
    """A view and the number of its subscribers; `view` is None until it is loaded."""

    def __init__(self) -> None:
        self.subscribers = 0
        self.view: BoardView | None = None
        self.loading: asyncio.Task[BoardView] | None = None
        self.waiting: list[StoredEvent] = []
        #: Whether an event was missed during the load.
        self.is_behind = False

    def wait(self, stored: StoredEvent) -> None:
        """Store an event until the view is loaded."""
        if len(self.waiting) < MAX_WAITING_EVENTS:
            self.waiting.append(stored)
        else:
            self.is_behind = True


class BoardViews:
    """The views of this process."""

    def __init__(self, reader: BoardReader, epoch: str) -> None:
        """Load views with `reader`; their positions have this `epoch`."""
        self._reader = reader
        self._epoch = epoch
        self._watched: dict[BoardId, _Watch] = {}
        #: Called with a board whose view is behind its log, each time this is noticed.
        self.on_behind: Callable[[BoardId], object] = lambda board_id: None

    def __len__(self) -> int:
        """Return the number of watched boards."""
        return len(self._watched)

    def __contains__(self, board_id: BoardId) -> bool:
        """Return whether a board is watched, loaded or not."""
        return board_id in self._watched

    def watched(self) -> tuple[BoardId, ...]:
        """Return the boards that are watched."""
        return tuple(self._watched)

    @asynccontextmanager
    async def watch(self, board_id: BoardId) -> AsyncIterator[BoardView]:
        """Keep the view of a board up to date for the length of the block.

        Raises:
            NotFound: the board does not exist.
            StoreUnavailable: the board could not be loaded.
        """
        watch = self._watched.setdefault(board_id, _Watch())
        watch.subscribers += 1
        try:
            view = await self._loaded(board_id, watch)
            if view.is_behind:
                await view.repaired()
            yield view
        finally:
            watch.subscribers -= 1
            if not watch.subscribers and self._watched.get(board_id) is watch:
                del self._watched[board_id]
                if watch.loading:
                    watch.loading.cancel()

    def get(self, board_id: BoardId) -> BoardView | None:
        """Return the view of a board, None if the board is not watched, not loaded, or broken."""
        watch = self._watched.get(board_id)
        return watch.view if watch and watch.view and not watch.view.is_broken else None

    def loaded(self, board_id: BoardId) -> BoardView | None:
        """Return the view of a board, even a broken one; None if it is not watched or not loaded."""
        watch = self._watched.get(board_id)
        return watch.view if watch else None

    def position(self, board_id: BoardId) -> Position | None:
        """Return the position of a board's subscribers, None if there is no view."""
        watch = self._watched.get(board_id)
        return watch.view.position if watch and watch.view else None

    def apply(self, board_id: BoardId, stored: StoredEvent) -> BoardView | None:
        """Fold an event into the board's view; return the view, or None if there is nothing to deliver now.

        There is nothing to deliver if nobody watches the board or its view is still loading. The same holds if the
        view includes the event already, or the event is not the next one.
        """
        watch = self._watched.get(board_id)
        if watch is None:
            return None
        view = watch.view
        if view is None:
            watch.wait(stored)
            return None
        if view.is_behind:
            self.on_behind(board_id)  # the repair may have read the log before this event was in it
            return None
        if stored.offset <= view.position.offset:
            return None  # delivered before, or included in the rows when the view was loaded
        if not view.is_next(stored):
            self.fall_behind(board_id)
            return None
        view.apply(stored)
        return view

    def apply_globally(self, stored: StoredEvent) -> list[tuple[BoardId, BoardView]]:
        """Record a global event in every view; return the views to which the event was the next one."""
        moved: list[tuple[BoardId, BoardView]] = []
        for board_id, watch in self._watched.items():
            view = watch.view
            if view is None:
                watch.wait(stored)
            elif view.is_behind:
                self.on_behind(board_id)
            elif stored.global_offset == view.position.global_offset + 1:
                view.move_globally(stored.global_offset)
                moved.append((board_id, view))
            elif stored.global_offset > view.position.global_offset:
                self.fall_behind(board_id)
        return moved

    def fall_behind(self, board_id: BoardId, broken_at: Position | None = None) -> None:
        """Record that the view of a board has missed an event; see `BoardView.fall_behind`."""
        watch = self._watched.get(board_id)
        if watch is not None:
            if watch.view is None:
                watch.is_behind = True
            else:
                watch.view.fall_behind(broken_at)
            self.on_behind(board_id)

    def drop(self, board_id: BoardId) -> None:
        """Drop the view of a deleted board. Later subscribers load it again, and get `NotFound`."""
        watch = self._watched.pop(board_id, None)
        if watch and watch.view:
            watch.view.catch_up()  # there is nothing to wait for

    async def _loaded(self, board_id: BoardId, watch: _Watch) -> BoardView:
        if watch.view is None:
            # One load for all subscribers that come meanwhile; shielded, so a leaving subscriber does not cancel it.
            if watch.loading is None:
                watch.loading = asyncio.create_task(self._load(board_id, watch), name=f"load board {board_id}")
                watch.loading.add_done_callback(retrieve)
            return await asyncio.shield(watch.loading)
        return watch.view

    async def _load(self, board_id: BoardId, watch: _Watch) -> BoardView:
        try:
            view = self._view(await self._found(board_id))
            if not _caught_up(view, watch):
                # The view may be half folded, so it is loaded again; events from now on are read from the log.
                watch.is_behind = True
                view = self._view(await self._found(board_id))
        except BaseException:
            # The next subscriber tries again with its own watch. The error of this task refers to this frame.
            watch.loading = None
            if self._watched.get(board_id) is watch:
                del self._watched[board_id]
            raise
        watch.waiting.clear()
        watch.view = view
        if watch.is_behind and self._watched.get(board_id) is watch:
            self.fall_behind(board_id)
        return view

    async def _found(self, board_id: BoardId) -> StoredBoard:
        found = await self._reader.board(board_id)
        if found is None:
            raise NotFound("Board not found", "board_not_found")
        return found

    def _view(self, found: StoredBoard) -> BoardView:
        tag = channel_tag(board_channel(found.board.id))
        return BoardView(found.board, Position(self._epoch, tag, found.offset, found.global_offset))


def _caught_up(view: BoardView, watch: _Watch) -> bool:
    """Fold the events that came during the load into `view`, up to a missing one; return False if that failed."""
    try:
        for stored in watch.waiting:
            at = view.position
            if stored.channel == EVERYBODY:
                if stored.global_offset == at.global_offset + 1:
                    view.move_globally(stored.global_offset)
                watch.is_behind |= stored.global_offset > view.position.global_offset
            elif stored.offset > at.offset and view.is_next(stored):
                view.apply(stored)
            watch.is_behind |= stored.channel != EVERYBODY and stored.offset > view.position.offset
            if watch.is_behind:
                break
    except Exception:
        log.exception("a board could not be brought up to date, it is loaded again")
        return False
    return True
