"""The view of one watched board: its present, folded from events, and what readers are told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple
from weakref import ref

from realtime.errors import StoreUnavailable
from realtime.kanban.board import Board, Recorded
from realtime.kanban.models import BoardState
from realtime.kanban.wire.canonical import state_hash
from realtime.messages import envelopes
from realtime.messages.envelopes import Envelope
from realtime.messages.options import Delivery
from realtime.messages.position import Position
from realtime.messages.translate import changes_board, translate, translate_change
from realtime.ports import StoredEvent

__all__ = ["BoardView", "Fold"]

#: Most seconds that a reader waits until a view that is behind its log, or broken, has been repaired.
REPAIR_WAIT_SECONDS = 5.0


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
        self._primed: list[Fold] = []
        self._hashed: tuple[BoardState, str] | None = None
        #: Set once the view has all that its log has; None while nothing says otherwise.
        self._repaired: asyncio.Event | None = None
        #: Whether `board` may be half folded, and must not be read.
        self.is_broken = False
        #: The snapshot that is being given to readers. Not held here, for it is as large as the board in each format
        #: that somebody asked for.
        self._given: tuple[ref[Envelope], ...] = ()

    @property
    def is_behind(self) -> bool:
        """Whether the view has missed something, as far as is known; only its repair moves it on then."""
        return self._repaired is not None

    def fall_behind(self, broken_at: Position | None = None) -> None:
        """Take nothing more but from the log; `broken_at` is where readers stand if the board may be half folded."""
        if self._repaired is None:
            self._repaired = asyncio.Event()
        self._primed.clear()
        if broken_at is not None:
            self.is_broken = True
            self._move_to(broken_at.offset, broken_at.global_offset)

    def restore(self, board: Board, position: Position) -> None:
        """Hold another `board`, as of `position`."""
        self.board = board
        self.is_broken = False
        self._move_to(position.offset, position.global_offset)

    def catch_up(self) -> None:
        """Take what comes next again: the view has all that its log has."""
        if self._repaired is not None:
            self._repaired.set()
            self._repaired = None

    async def repaired(self) -> None:
        """Return when the view has all that its log has, as far as is known; at once, but for a fault before.

        Raises:
            StoreUnavailable: it took too long, so the log cannot be read.
        """
        try:
            async with asyncio.timeout(REPAIR_WAIT_SECONDS):
                while self._repaired is not None:
                    await self._repaired.wait()
        except TimeoutError:
            raise StoreUnavailable("the board could not be brought up to date with its log") from None

    def is_next(self, stored: StoredEvent) -> bool:
        """Tell whether an event of this board is the very next one, with no global event between."""
        at = self.position
        return stored.offset == at.offset + 1 and stored.global_offset <= at.global_offset

    def prime(self, folds: Sequence[Fold]) -> None:
        """Remember what was folded in this process and comes next, so that it need not be folded twice.

        It holds only for the very events, each on the very state that it was folded into.
        """
        self._primed = list(folds)

    def apply(self, stored: StoredEvent) -> None:
        """Fold an event of this board."""
        self._before = self.board.state
        self.board.apply(stored.recorded, self._known(stored.recorded))
        # A global event may have come before one that is older: it is not told again.
        self._move_to(stored.offset, max(stored.global_offset, self.position.global_offset))

    def _known(self, recorded: Recorded) -> BoardState | None:
        if not self._primed:
            return None
        fold = self._primed.pop(0)
        if fold.recorded is recorded and fold.before is self.board.state:
            return fold.after
        self._primed.clear()
        return None

    def told(self, stored: StoredEvent, delivery: Delivery = Delivery.STATE, seen: int = 0) -> list[Envelope]:
        """Return the envelopes of the event that was folded last, each with the cursor behind it.

        `seen` is the part of it that the reader has: it gets the rest.
        """
        if changes_board(stored.recorded):
            if stored.superseded and delivery is Delivery.STATE:
                return []  # one state for a unit (docs/protocol.md, "Commands")
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
