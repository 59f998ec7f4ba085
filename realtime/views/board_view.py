"""The view of one watched board: its current state, folded from events, and the envelopes for its subscribers."""

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
from realtime.messages.timeline import Timeline
from realtime.messages.translate import changes_board, translate, translate_change
from realtime.ports import StoredEvent

__all__ = ["BoardView", "Fold"]

#: Most seconds that a subscriber waits for the repair of a view that is behind its log, or broken.
REPAIR_WAIT_SECONDS = 5.0


class Fold(NamedTuple):
    """One folded event, with the state before it and the state after it."""

    recorded: Recorded
    before: BoardState
    after: BoardState


class BoardView:
    """The current state of one board, and the position to which it belongs."""

    def __init__(self, board: Board, position: Position) -> None:
        """Start with `board` at `position`."""
        self.board = board
        self.position = position
        self._before = board.state
        self._timeline = Timeline()
        self._primed: list[Fold] = []
        self._hashed: tuple[BoardState, str] | None = None
        #: Set once the view has everything in its log; None unless the view is behind.
        self._repaired: asyncio.Event | None = None
        #: Whether `board` may be half folded, so that nobody may read it.
        self.is_broken = False
        #: The snapshot that subscribers are receiving. References are weak, because a snapshot is as large as the board
        #: in each format that an exit has encoded.
        self._snapshot: tuple[ref[Envelope], ...] = ()

    @property
    def is_behind(self) -> bool:
        """Whether the view is known to have missed an event; then only its repair may change it."""
        return self._repaired is not None

    def fall_behind(self, broken_at: Position | None = None) -> None:
        """Accept events from the log only. `broken_at` is the subscribers' position if the board may be half folded."""
        if self._repaired is None:
            self._repaired = asyncio.Event()
        self._primed.clear()
        if broken_at is not None:
            self.is_broken = True
            self._move_to(broken_at.offset, broken_at.global_offset)

    def restore(self, board: Board, position: Position) -> None:
        """Replace the board, which is at `position`."""
        self.board = board
        self.is_broken = False
        self._move_to(position.offset, position.global_offset)

    def catch_up(self) -> None:
        """Accept new events again: the view has everything in its log."""
        if self._repaired is not None:
            self._repaired.set()
            self._repaired = None

    async def repaired(self) -> None:
        """Return once the view has everything in its log, as far as known; at once, unless it is behind.

        Raises:
            StoreUnavailable: it took too long, because the log cannot be read.
        """
        try:
            async with asyncio.timeout(REPAIR_WAIT_SECONDS):
                while self._repaired is not None:
                    await self._repaired.wait()
        except TimeoutError:
            raise StoreUnavailable("the board could not be brought up to date with its log") from None

    def is_next(self, stored: StoredEvent) -> bool:
        """Return whether an event of this board is exactly the next one, with no global event between."""
        at = self.position
        return stored.offset == at.offset + 1 and stored.global_offset <= at.global_offset

    def prime(self, folds: Sequence[Fold]) -> None:
        """Store the folds of the next events, made in this process, so that `apply` need not fold them again.

        A fold is used only for its own event, and only on the state on which it was made.
        """
        self._primed = list(folds)

    def apply(self, stored: StoredEvent) -> None:
        """Fold an event of this board."""
        self._before = self.board.state
        self.board.apply(stored.recorded, self._known(stored.recorded))
        # An older event may come after a newer global event, which must not be delivered again.
        self._move_to(stored.offset, max(stored.global_offset, self.position.global_offset))

    def _known(self, recorded: Recorded) -> BoardState | None:
        if not self._primed:
            return None
        fold = self._primed.pop(0)
        if fold.recorded is recorded and fold.before is self.board.state:
            return fold.after
        self._primed.clear()
        return None

    def envelopes_of(self, stored: StoredEvent, delivery: Delivery = Delivery.STATE, seen: int = 0) -> list[Envelope]:
        """Return the envelopes of the last folded event, each with the cursor behind it.

        `seen` is the number of its envelopes (or changes) that the subscriber has; they are left out.
        """
        if changes_board(stored.recorded):
            if stored.superseded and delivery is Delivery.STATE:
                return []  # one state for a unit (docs/protocol.md, "Commands")
            states = self._before, self.board.state
            made = translate_change(stored.recorded, *states, delivery, seen, self._timeline)
        else:
            made = translate(stored.recorded, self.board)[seen:]
        last = seen + len(made)
        return [Envelope(payload, self._behind(n, last).cursor) for n, payload in enumerate(made, start=seen + 1)]

    def _behind(self, n: int, of: int) -> Position:
        # Until a subscriber has all envelopes of an event, its position is the event before, with the part it has.
        return self.position if n == of else self.position._replace(offset=self.position.offset - 1, part=n)

    def snapshot(self) -> tuple[Envelope, ...]:
        """Return the current state as envelopes: `state`, then one `attempt_status` per attempt, newest first.

        While a subscriber is receiving a snapshot, the next one gets the same envelopes, with their encoded forms.
        """
        shared = tuple(envelope for one in self._snapshot if (envelope := one()) is not None)
        if not shared or len(shared) < len(self._snapshot):
            shared = self._new_snapshot()
            self._snapshot = tuple(map(ref, shared))
        return shared

    def _new_snapshot(self) -> tuple[Envelope, ...]:
        cursor, attempts = self.position.cursor, self.board.newest_attempts()
        statuses = [envelopes.attempt_status(one.id, one.card_id, one.status, cursor) for one in attempts]
        return (envelopes.state(self.board.state, cursor), *statuses)

    def state_hash(self) -> str:
        """Return the hash of the state; it is computed once for each state."""
        if self._hashed is None or self._hashed[0] is not self.board.state:
            self._hashed = (self.board.state, state_hash(self.board.state))
        return self._hashed[1]

    def move_globally(self, global_offset: int) -> None:
        """Record the offset of a global event, which changes no board."""
        self._move_to(self.position.offset, global_offset)

    def _move_to(self, offset: int, global_offset: int) -> None:
        self._snapshot = ()
        self.position = Position(self.position.epoch, self.position.tag, offset, global_offset)
