"""What an event did to a board, exactly: the differences that are stored in the log and folded into states.

`apply` is the only way a `BoardState` comes about from another. A change carries all that is needed to apply it,
so folding needs neither clock nor ids, and its cost is that of the change (plus copying two dictionaries).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from itertools import zip_longest
from typing import Literal, assert_never

from pydantic import TypeAdapter

from realtime.kanban.ids import CardId, ColumnId
from realtime.kanban.models import BoardState, Card, Column

__all__ = [
    "BoardChange",
    "CardCreated",
    "CardDeleted",
    "CardMoved",
    "CardUpdated",
    "StateReplaced",
    "apply",
    "apply_all",
    "changes_from_json",
    "changes_to_json",
]


@dataclass(frozen=True, slots=True)
class CardCreated:
    """`card` is new, at `index` of its column."""

    card: Card
    index: int
    type: Literal["card_created"] = "card_created"


@dataclass(frozen=True, slots=True)
class CardUpdated:
    """`card` has new values in `fields` (attribute names of `Card`); its place is the same."""

    card: Card
    fields: tuple[str, ...]
    type: Literal["card_updated"] = "card_updated"


@dataclass(frozen=True, slots=True)
class CardMoved:
    """The card was at `from_index` and is now at `index` of `to_column_id`, counted there without the card.

    As in the original it renews `updatedAt` of every card whose place is another: its own and those that moved up
    or down for it.
    """

    card_id: CardId
    from_column_id: ColumnId
    from_index: int
    to_column_id: ColumnId
    index: int
    updated_at: datetime
    type: Literal["card_moved"] = "card_moved"


@dataclass(frozen=True, slots=True)
class CardDeleted:
    """The card is gone from `index`; those below it moved up, which renews their `updatedAt`.

    Dependencies on it went before, each with a `CardUpdated` of its own.
    """

    card_id: CardId
    column_id: ColumnId
    index: int
    updated_at: datetime
    type: Literal["card_deleted"] = "card_deleted"


@dataclass(frozen=True, slots=True)
class StateReplaced:
    """The whole state is new: a new board, or a state that came from outside."""

    columns: tuple[Column, ...]
    cards: tuple[Card, ...]
    type: Literal["state_replaced"] = "state_replaced"


BoardChange = CardCreated | CardUpdated | CardMoved | CardDeleted | StateReplaced
_CHANGES: TypeAdapter[tuple[BoardChange, ...]] = TypeAdapter(tuple[BoardChange, ...])


def changes_to_json(changes: tuple[BoardChange, ...]) -> bytes:
    """Encode for the log; the field names are those of the dataclasses, this JSON never travels."""
    return _CHANGES.dump_json(changes)


def changes_from_json(text: bytes | str) -> tuple[BoardChange, ...]:
    """Decode what `changes_to_json` made."""
    return _CHANGES.validate_json(text)


def apply_all(state: BoardState, changes: Iterable[BoardChange]) -> BoardState:
    """Fold `changes` into `state`, in order."""
    return reduce(apply, changes, state)


def apply(state: BoardState, change: BoardChange) -> BoardState:
    """Return the state after `change`; `state` stays as it was.

    Raises:
        KeyError: the change is of another board or came twice.
    """
    match change:
        case CardCreated(card=card, index=index):
            column = _inserted(state.columns[card.column_id], card.id, index)
            return BoardState(_with(state.columns, column), {**state.cards, card.id: card})
        case CardUpdated(card=card):
            return BoardState(state.columns, {**state.cards, card.id: card})
        case CardMoved():
            return _moved(state, change)
        case CardDeleted(card_id=card_id, column_id=column_id, updated_at=at):
            columns = _with(state.columns, _without(state.columns[column_id], card_id))
            cards = {id: card for id, card in state.cards.items() if id != card_id}
            return BoardState(columns, _renewed(cards, state.columns, columns, at))
        case StateReplaced(columns=columns, cards=new_cards):
            return BoardState({column.id: column for column in columns}, {card.id: card for card in new_cards})
        case _:
            assert_never(change)


def _moved(state: BoardState, change: CardMoved) -> BoardState:
    card = replace(state.cards[change.card_id], column_id=change.to_column_id, updated_at=change.updated_at)
    columns = _with(state.columns, _without(state.columns[change.from_column_id], card.id))
    columns = _with(columns, _inserted(columns[change.to_column_id], card.id, change.index))
    cards = {**state.cards, card.id: card}
    return BoardState(columns, _renewed(cards, state.columns, columns, change.updated_at))


def _renewed(
    cards: dict[CardId, Card], before: Mapping[ColumnId, Column], after: Mapping[ColumnId, Column], at: datetime
) -> Mapping[CardId, Card]:
    """Give each card whose index in its column is another the time of the change."""
    for column in after.values():
        old = before[column.id].card_ids
        if column.card_ids is not old:
            for card_id, previous in zip_longest(column.card_ids, old[: len(column.card_ids)]):
                if card_id != previous:
                    cards[card_id] = replace(cards[card_id], updated_at=at)
    return cards


def _with(columns: Mapping[ColumnId, Column], column: Column) -> Mapping[ColumnId, Column]:
    return {**columns, column.id: column}


def _inserted(column: Column, card_id: CardId, index: int) -> Column:
    return replace(column, card_ids=(*column.card_ids[:index], card_id, *column.card_ids[index:]))


def _without(column: Column, card_id: CardId) -> Column:
    return replace(column, card_ids=tuple(other for other in column.card_ids if other != card_id))
