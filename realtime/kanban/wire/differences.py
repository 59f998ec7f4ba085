"""A state that came from outside, told as single changes: what leads from one state to another, with few moves.

The same two states always give the same changes, in the same order: a reader that stopped between two of them goes
on exactly there, also after a restart.
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

__all__ = ["differences", "told_changes"]


def told_changes(before: BoardState, made: Iterable[BoardChange]) -> Iterator[tuple[BoardState, Difference]]:
    """Yield what an event did to a board as the changes that readers are told, each with a state to look things up in.

    In that state each card is as it was before the change. Its columns are those before the change too, where that
    matters: for a change that renews the cards it displaces. (So the differences of a whole new state cost no state
    each.)
    """
    state, last = before, None
    for change in made:
        # Not folded before the next one is asked for: most events make one change.
        state, last = state if last is None else apply(state, last), change
        if isinstance(change, StateReplaced):
            for difference in differences(state, apply(state, change)):
                yield state, difference
        else:
            yield state, change


def differences(old: BoardState, new: BoardState) -> tuple[Difference, ...]:
    """Return changes that fold `old` into exactly `new`: ids, times, places. None of them renews a time."""
    return tuple(_Way(old, new).made)


class _Way:
    """From one state to the other: deletions, columns, moves and creations, and what still differs then."""

    def __init__(self, old: BoardState, new: BoardState) -> None:
        self.made: list[Difference] = []
        self._old, self._new = old, new
        self._places = {column.id: IdOrder(column.card_ids) for column in old.columns.values()}
        self._home = {card_id: column.id for column in old.columns.values() for card_id in column.card_ids}
        self._delete_cards()
        now, wanted = _headings(old), _headings(new)
        # A column that goes must be empty first, so it stays until its cards have moved.
        last = tuple(one for one in now if one.id not in new.columns and len(self._places[one.id]))
        self._change_columns(now, (*wanted, *last))
        for column in new.columns.values():
            self._fill(column)
        self._change_columns((*wanted, *last), wanted)
        self._update_cards()

    def _delete_cards(self) -> None:
        for column_id, place in self._places.items():
            # From the bottom up: no deletion changes the index of the next.
            for index, card_id in reversed(list(enumerate(place))):
                if card_id not in self._new.cards:
                    self.made.append(CardDeleted(card_id, column_id, index, None))
                    place.remove(card_id)

    def _change_columns(self, now: tuple[Heading, ...], wanted: tuple[Heading, ...]) -> None:
        if now != wanted:
            self.made.append(ColumnsChanged(wanted, now))

    def _fill(self, column: Column) -> None:
        """Let the most cards stay that can; each other one goes directly behind its predecessor."""
        place = self._places.setdefault(column.id, IdOrder())
        staying = _longest_in_order(place, column.card_ids)
        behind = 0
        for card_id in column.card_ids:
            index = place.index(card_id) if card_id in staying else self._bring(card_id, column, behind)
            behind = index + 1

    def _bring(self, card_id: CardId, column: Column, index: int) -> int:
        """Put a card into a column, before the one at `index`; return where it is then."""
        place = self._places[column.id]
        home = self._home.get(card_id)
        if home is None:
            self.made.append(CardCreated(self._new.cards[card_id], index))
        else:
            from_index = self._places[home].index(card_id)
            self._places[home].remove(card_id)
            # Counted without the card, which may have stood above.
            index -= home == column.id and from_index < index
            self.made.append(CardMoved(card_id, home, from_index, column.id, index, None))
        place.insert(index, card_id)
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


def _longest_in_order(place: Iterable[CardId], wanted: Sequence[CardId]) -> set[CardId]:
    """Return a longest choice of cards that stand in `place` in the order in which they are wanted."""
    index = {card_id: n for n, card_id in enumerate(place)}
    # By length of a chain: the lowest index that ends one so long (`ends`), the card there, and who stands before whom.
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
