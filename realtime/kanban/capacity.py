"""Checks that a board stays within its limits (docs/protocol.md, "Limits"): number of cards, bytes of state. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import orjson

from realtime.kanban.board import Recorded
from realtime.kanban.cards import Cards
from realtime.kanban.changes import CardCreated, CardUpdated, StateReplaced
from realtime.kanban.models import BoardState
from realtime.limits import Capacity, LimitReached

__all__ = ["check_board", "state_bytes"]

#: Changes that can enlarge a state. A move can not, so a move costs no check.
_GROWING = (CardCreated, CardUpdated, StateReplaced)
#: Keys and quotes of a column on the wire.
COLUMN_BYTES = 40


def check_board(before: BoardState, after: BoardState, made: Iterable[Recorded], capacity: Capacity) -> None:
    """Refuse changes that make a board larger than the limits. A board above a limit may still become smaller.

    Args:
        before: the state before the write unit.
        after: the state after the write unit.
        made: the recorded events of the write unit.
        capacity: the limits.

    Raises:
        LimitReached: the board has more cards or bytes than it may, and more than before.
    """
    if not any(isinstance(change, _GROWING) for recorded in made for change in recorded.changes):
        return
    if len(after.cards) > max(capacity.cards_per_board, len(before.cards)):
        raise LimitReached(f"expected a board of at most {capacity.cards_per_board} cards, it would have more")
    size = state_bytes(after)
    if size > capacity.board_bytes and size > state_bytes(before):
        raise LimitReached(f"expected a board state of at most {capacity.board_bytes} bytes, it would have {size}")


def state_bytes(state: BoardState) -> int:
    """Return the approximate number of bytes of a state on the wire."""
    columns = sum(_column_bytes(column.id, column.title) for column in state.columns.values())
    return columns + Cards.of(state.cards).size_bytes


@lru_cache(4096)  # a batch of events may ask a thousand times
def _column_bytes(id: str, title: str) -> int:
    return COLUMN_BYTES + len(orjson.dumps((id, id, title)))
