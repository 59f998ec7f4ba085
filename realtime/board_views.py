"""Board views: the present of each *watched* board, in memory, folded from events (design §3).

A view is loaded when its first reader comes and dropped when the last one leaves. Events that are published while
it is loaded wait, and those the rows already contain are left out, so a view never misses or repeats one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple
from weakref import ref

from realtime import envelopes
from realtime.channels import board_channel
from realtime.envelopes import Envelope
from realtime.errors import NotFound
from realtime.kanban.board import Board, Recorded
from realtime.kanban.canonical import state_hash
from realtime.kanban.ids import BoardId
from realtime.kanban.models import BoardState
from realtime.options import Delivery
from realtime.ports import BoardReader, StoredEvent
from realtime.position import Position, channel_tag
from realtime.tasks import retrieve
from realtime.translate import changes_board, translate, translate_change

__all__ = ["BoardView", "BoardViews", "Fold"]


class Fold(NamedTuple):
    """One event folded: the state before it and the state after it."""

    recorded: Recorded
    before: BoardState
    after: BoardState


class BoardView:
    """The present of one board, and the position it stands for."""

    def __init__(self, board: Board, position: Position) -> None:
        """Hold `board` as of `position`."""
        self.board = board
        self.position = position
        self._before = board.state
        self._foreseen: list[Fold] = []
        self._hashed: tuple[BoardState, str] | None = None
        #: The snapshot that is being given to readers. Not held here, for it is as large as the board in each format
        #: that somebody asked for.
        self._given: tuple[ref[Envelope], ...] = ()

    def foresee(self, folds: Sequence[Fold]) -> None:
        """Remember what was folded in this process and comes next, so that it need not be folded twice."""
        self._foreseen = list(folds)

    def apply(self, stored: StoredEvent) -> None:
        """Fold an event of this board."""
        self._before = self.board.state
        self.board.apply(stored.recorded, self._known(stored.recorded))
        self._move_to(stored.offset, stored.global_offset)

    def _known(self, recorded: Recorded) -> BoardState | None:
        if not self._foreseen:
            return None
        fold = self._foreseen.pop(0)
        if fold.recorded is recorded and fold.before is self.board.state:
            return fold.after
        self._foreseen.clear()
        return None

    def told(self, stored: StoredEvent, delivery: Delivery = Delivery.STATE, seen: int = 0) -> list[Envelope]:
        """Return the envelopes of the event that was folded last, each with the cursor behind it.

        `seen` is the part of it that the reader has: it gets the rest.
        """
        if changes_board(stored.recorded):
            messages = translate_change(stored.recorded, self._before, self.board.state, delivery, seen)
        else:
            messages = translate(stored.recorded, self.board)[seen:]
        last = seen + len(messages)
        return [
            Envelope(type, payload, self._behind(n, last).cursor)
            for n, (type, payload) in enumerate(messages, start=seen + 1)
        ]

    def _behind(self, n: int, of: int) -> Position:
        # A reader that has only some envelopes of an event stands behind the event before, plus that part.
        return self.position if n == of else self.position._replace(offset=self.position.offset - 1, part=n)

    def snapshot(self) -> tuple[Envelope, ...]:
        """Return what stands for the present: `state`, then one `attempt_status` per attempt, newest created first.

        Whoever asks while another is being given it gets the same, with all that was made of it.
        """
        given = tuple(envelope for one in self._given if (envelope := one()) is not None)
        if not given or len(given) < len(self._given):
            given = self._cut()
            self._given = tuple(map(ref, given))
        return given

    def _cut(self) -> tuple[Envelope, ...]:
        cursor, attempts = self.position.cursor, self.board.newest_attempts()
        statuses = [envelopes.attempt_status(one.id, one.card_id, one.status, cursor) for one in attempts]
        return (envelopes.state(self.board.state, cursor), *statuses)

    def state_hash(self) -> str:
        """Return the hash of the state, computed once as long as the board does not change."""
        if self._hashed is None or self._hashed[0] is not self.board.state:
            self._hashed = (self.board.state, state_hash(self.board.state))
        return self._hashed[1]

    def move_globally(self, global_offset: int) -> None:
        """Note a global event; it changes no board."""
        self._move_to(self.position.offset, global_offset)

    def _move_to(self, offset: int, global_offset: int) -> None:
        self._given = ()
        self.position = Position(self.position.epoch, self.position.tag, offset, global_offset)


class _Watch:
    """A view with its readers: `view` is None until it is loaded."""

    def __init__(self) -> None:
        self.readers = 0
        self.view: BoardView | None = None
        self.loading: asyncio.Task[BoardView] | None = None
        self.waiting: list[StoredEvent] = []


class BoardViews:
    """The views of this process."""

    def __init__(self, reader: BoardReader, epoch: str) -> None:
        """Load views through `reader`; their positions are of `epoch`."""
        self._reader = reader
        self._epoch = epoch
        self._watched: dict[BoardId, _Watch] = {}

    def __len__(self) -> int:
        """How many boards are watched."""
        return len(self._watched)

    @asynccontextmanager
    async def watch(self, board_id: BoardId) -> AsyncIterator[BoardView]:
        """Keep the view of a board up to date for as long as the block runs.

        Raises:
            NotFound: there is no such board.
            StoreUnavailable: the board could not be loaded.
        """
        watch = self._watched.setdefault(board_id, _Watch())
        watch.readers += 1
        try:
            yield await self._loaded(board_id, watch)
        finally:
            watch.readers -= 1
            if not watch.readers and self._watched.get(board_id) is watch:
                del self._watched[board_id]
                if watch.loading:
                    watch.loading.cancel()

    def get(self, board_id: BoardId) -> BoardView | None:
        """Return the view of a board that is watched and loaded, else None."""
        watch = self._watched.get(board_id)
        return watch.view if watch else None

    def apply(self, board_id: BoardId, stored: StoredEvent) -> BoardView | None:
        """Fold an event into its view; return the view, None when no reader of it needs to be told.

        That is when nobody watches the board, when it is still loading, and when it was loaded with the event in it.
        """
        watch = self._watched.get(board_id)
        if watch is None:
            return None
        if watch.view is None:
            watch.waiting.append(stored)
            return None
        if stored.offset <= watch.view.position.offset:
            return None  # loaded between its commit and now: the rows had it, and so had the snapshots of all readers
        watch.view.apply(stored)
        return watch.view

    def apply_globally(self, stored: StoredEvent) -> list[tuple[BoardId, BoardView]]:
        """Note a global event in every view; return those to which it is new."""
        moved: list[tuple[BoardId, BoardView]] = []
        for board_id, watch in self._watched.items():
            if watch.view is None:
                watch.waiting.append(stored)
            elif stored.global_offset > watch.view.position.global_offset:
                watch.view.move_globally(stored.global_offset)
                moved.append((board_id, watch.view))
        return moved

    def drop(self, board_id: BoardId) -> None:
        """Forget the view of a board that was deleted; readers that come later load anew (and find none)."""
        self._watched.pop(board_id, None)

    async def _loaded(self, board_id: BoardId, watch: _Watch) -> BoardView:
        if watch.view is None:
            # One load for all readers that come meanwhile; shielded, so that one who leaves does not end it.
            if watch.loading is None:
                watch.loading = asyncio.create_task(self._load(board_id, watch), name=f"load board {board_id}")
                watch.loading.add_done_callback(retrieve)
            return await asyncio.shield(watch.loading)
        return watch.view

    async def _load(self, board_id: BoardId, watch: _Watch) -> BoardView:
        try:
            found = await self._reader.board(board_id)
            if found is None:
                raise NotFound("Board not found", "board_not_found")
        except BaseException:
            # The next reader tries again with a watch of its own.
            if self._watched.get(board_id) is watch:
                del self._watched[board_id]
            raise
        tag = channel_tag(board_channel(board_id))
        view = BoardView(found.board, Position(self._epoch, tag, found.offset, found.global_offset))
        for stored in watch.waiting:
            if stored.channel == board_channel(board_id) and stored.offset > found.offset:
                view.apply(stored)
            elif stored.global_offset > view.position.global_offset:
                view.move_globally(stored.global_offset)
        watch.waiting.clear()
        watch.view = view
        return view
