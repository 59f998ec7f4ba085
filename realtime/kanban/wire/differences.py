"""Differences between two whole states, as single changes with few moves.

The same two states always give the same changes in the same order. So a client that stopped between two of them
continues exactly there, even after a restart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from realtime.kanban.changes import (
    BoardChange,
    CardCreated,
    CardDeleted,
    CardMoved,
    CardUpdated,
    ColumnsChanged,
    Difference,
    Heading,
    StateReplaced,
    apply,
)
from realtime.kanban.ids import CardId
from realtime.kanban.input.id_order import IdOrder
from realtime.kanban.models import BoardState, Column
from realtime.kanban.wire.board_wire import CARD_KEYS

__all__ = ["as_differences", "differences"]


def as_differences(before: BoardState, made: Iterable[BoardChange]) -> Iterator[tuple[BoardState, Difference]]:
    """Yield the changes of an event as clients get them, each with a state in which to look up its cards.

    In that state each card is as it was before the change. If the change renews the times of displaced cards, the
    columns are those before the change, too. The differences of a whole new state renew no times, so they need no new
    state for each of them.
    """
    state, last = before, None
    for change in made:
        # Folded only when there is a next change: most events have one change.
        state, last = state if last is None else apply(state, last), change
        if isinstance(change, StateReplaced):
            for difference in differences(state, apply(state, change)):
                yield state, difference
        else:
            yield state, change


def differences(old: BoardState, new: BoardState) -> tuple[Difference, ...]:
    """Return changes that fold `old` into exactly `new`: ids, times, column order. None of them renews a time."""
    return tuple(_Steps(old, new).made)


class _Steps:
    """The steps from one state to another: deletions, columns, moves and creations, then updates of cards."""

    def __init__(self, old: BoardState, new: BoardState) -> None:
        self.made: list[Difference] = []
        self._old, self._new = old, new
        self._orders = {column.id: IdOrder(column.card_ids) for column in old.columns.values()}
        self._column_of = {card_id: column.id for column in old.columns.values() for card_id in column.card_ids}
        self._delete_cards()
        now, wanted = _headings(old), _headings(new)
        # A column must be empty before it is removed, so it stays until its cards have moved.
        leaving = tuple(one for one in now if one.id not in new.columns and len(self._orders[one.id]))
        self._change_columns(now, (*wanted, *leaving))
        for column in new.columns.values():
            self._fill(column)
        self._change_columns((*wanted, *leaving), wanted)
        self._update_cards()

    def _delete_cards(self) -> None:
        for column_id, order in self._orders.items():
            # From the bottom up, so no deletion changes the index of the next.
            for index, card_id in reversed(list(enumerate(order))):
                if card_id not in self._new.cards:
                    self.made.append(CardDeleted(card_id, column_id, index, None))
                    order.remove(card_id)

    def _change_columns(self, now: tuple[Heading, ...], wanted: tuple[Heading, ...]) -> None:
        if now != wanted:
            self.made.append(ColumnsChanged(wanted, now))

    def _fill(self, column: Column) -> None:
        """Fill a column: as many cards as possible stay, and each other card moves directly behind its predecessor."""
        order = self._orders.setdefault(column.id, IdOrder())
        staying = _longest_in_order(order, column.card_ids)
        behind = 0
        for card_id in column.card_ids:
            index = order.index(card_id) if card_id in staying else self._put(card_id, column, behind)
            behind = index + 1

    def _put(self, card_id: CardId, column: Column, index: int) -> int:
        """Move or create a card in a column, before the card at `index`; return the card's index afterwards."""
        order = self._orders[column.id]
        home = self._column_of.get(card_id)
        if home is None:
            self.made.append(CardCreated(self._new.cards[card_id], index))
        else:
            from_index = self._orders[home].index(card_id)
            self._orders[home].remove(card_id)
            # The index is counted without the card, which may have been above.
            index -= home == column.id and from_index < index
            self.made.append(CardMoved(card_id, home, from_index, column.id, index, None))
        order.insert(index, card_id)
        return index

    def _update_cards(self) -> None:
        for card in self._new.cards.values():
            before = self._old.cards.get(card.id)
            if before is not None and before != card:
                fields = tuple(name for name in CARD_KEYS if getattr(before, name) != getattr(card, name))
                if fields:
                    self.made.append(CardUpdated(card, fields))


def _headings(state: BoardState) -> tuple[Heading, ...]:
    return tuple(Heading(column.id, column.title) for column in state.columns.values())


def _longest_in_order(order: Iterable[CardId], wanted: Sequence[CardId]) -> set[CardId]:
    """Return a largest set of the cards that are in `order` in the same sequence as in `wanted`."""
    index = {card_id: n for n, card_id in enumerate(order)}
    # A longest increasing subsequence. For each length of a chain, `ends` has the lowest index at which such a chain
    # ends, and `cards` the card there. `before` has the predecessor of each card in its chain.
    ends: list[int] = []
    cards: list[CardId] = []
    before: dict[CardId, CardId | None] = {}
    for card_id in wanted:
        at = index.get(card_id)
        if at is not None:
            length = bisect_left(ends, at)
            before[card_id] = cards[length - 1] if length else None
            ends[length : length + 1], cards[length : length + 1] = [at], [card_id]
    chain: set[CardId] = set()
    last = cards[-1] if cards else None
    while last is not None:
        chain.add(last)
        last = before[last]
    return chain
