"""Changes: the exact differences that an event makes to a board. The log stores them, and `apply` folds them.

`apply` is the only way to get one `BoardState` from another. A change carries everything that `apply` needs, so
folding needs neither a clock nor new ids. A change costs what it touches, plus copies of dictionaries (8 µs each for
2,000 cards, measured). In return, every state is immutable and can be shared, queued and encoded later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from typing import Annotated, Literal, assert_never

import orjson
from pydantic import Field, TypeAdapter

from realtime.kanban.cards import Cards
from realtime.kanban.ids import CardId, ColumnId
from realtime.kanban.models import BoardState, Card, Column

__all__ = [
    "BoardChange",
    "CardCreated",
    "CardDeleted",
    "CardMoved",
    "CardUpdated",
    "ColumnsChanged",
    "Difference",
    "Heading",
    "StateReplaced",
    "apply",
    "apply_all",
    "changes_from_json",
    "changes_to_json",
    "displaced",
]


@dataclass(frozen=True, slots=True)
class CardCreated:
    """`card` is new, at `index` of its column."""

    card: Card
    index: int
    type: Literal["card_created"] = "card_created"


@dataclass(frozen=True, slots=True)
class CardUpdated:
    """`card` has new values in `fields` (attribute names of `Card`); its index is the same."""

    card: Card
    fields: tuple[str, ...]
    type: Literal["card_updated"] = "card_updated"


@dataclass(frozen=True, slots=True)
class CardMoved:
    """The card was at `from_index` and is now at `index` of `to_column_id`; `index` is counted without the card.

    As in the original, a move renews `updatedAt` of every card whose index changes: the moved card, and the cards that
    shift up or down because of it. If `updated_at` is None, the move renews no time. The moves between two whole states
    from outside are like that, as these states have their own times. The log holds no such move.
    """

    card_id: CardId
    from_column_id: ColumnId
    from_index: int
    to_column_id: ColumnId
    index: int
    updated_at: datetime | None
    type: Literal["card_moved"] = "card_moved"


@dataclass(frozen=True, slots=True)
class CardDeleted:
    """The card is gone from `index`; those below it shift up, which renews their `updatedAt` (as in `CardMoved`).

    Dependencies on the card are removed first, each with its own `CardUpdated`.
    """

    card_id: CardId
    column_id: ColumnId
    index: int
    updated_at: datetime | None
    type: Literal["card_deleted"] = "card_deleted"


@dataclass(frozen=True, slots=True)
class StateReplaced:
    """The whole state is new: a new board, or a state that came from outside."""

    columns: tuple[Column, ...]
    cards: tuple[Card, ...]
    type: Literal["state_replaced"] = "state_replaced"


@dataclass(frozen=True, slots=True)
class Heading:
    """A column without its cards."""

    id: ColumnId
    title: str


@dataclass(frozen=True, slots=True)
class ColumnsChanged:
    """These are the columns now, from left to right. New columns are empty, and only empty columns are removed."""

    columns: tuple[Heading, ...]
    #: The columns before.
    previous: tuple[Heading, ...]
    type: Literal["columns_changed"] = "columns_changed"


#: A change as the log stores it.
BoardChange = CardCreated | CardUpdated | CardMoved | CardDeleted | StateReplaced
#: A change as clients get it; `differences` makes several of these from a whole new state.
Difference = CardCreated | CardUpdated | CardMoved | CardDeleted | ColumnsChanged
#: Without the discriminator pydantic tries each class in turn, which takes seven times as long for a whole state.
_CHANGES: TypeAdapter[tuple[BoardChange, ...]] = TypeAdapter(
    tuple[Annotated[BoardChange, Field(discriminator="type")], ...]
)


def changes_to_json(changes: tuple[BoardChange, ...]) -> bytes:
    """Encode changes for the log. Field names are those of the dataclasses; this JSON never goes to a client."""
    # orjson takes a quarter of pydantic's time. It leaves out what a card caches: those names begin with "_".
    return orjson.dumps(changes)


def changes_from_json(text: bytes | str) -> tuple[BoardChange, ...]:
    """Decode the result of `changes_to_json`."""
    return _CHANGES.validate_json(text)


def apply_all(state: BoardState, changes: Iterable[BoardChange | Difference]) -> BoardState:
    """Fold `changes` into `state`, in order."""
    return reduce(apply, changes, state)


def apply(state: BoardState, change: BoardChange | Difference) -> BoardState:
    """Return the state after `change`; `state` stays as it was.

    Raises:
        KeyError: the change belongs to another board, or was applied before.
    """
    match change:
        case CardCreated(card=card, index=index):
            column = _inserted(state.columns[card.column_id], card.id, index)
            return BoardState(_with(state.columns, column), Cards.of(state.cards).put(card))
        case CardUpdated(card=card):
            return BoardState(state.columns, Cards.of(state.cards).put(card))
        case CardMoved():
            return _moved(state, change)
        case CardDeleted(card_id=card_id, column_id=column_id, index=index):
            columns = _with(state.columns, _without(state.columns[column_id], index))
            return BoardState(columns, _renewed(Cards.of(state.cards), state, change).remove(card_id))
        case StateReplaced(columns=columns, cards=new_cards):
            return BoardState({column.id: column for column in columns}, Cards({card.id: card for card in new_cards}))
        case ColumnsChanged(columns=headings):
            return BoardState({one.id: _titled(state.columns.get(one.id), one) for one in headings}, state.cards)
        case _:
            assert_never(change)


def displaced(state: BoardState, change: CardMoved | CardDeleted) -> tuple[CardId, ...]:
    """Return the cards of `state` whose index changes with `change`, including a moved card."""
    if isinstance(change, CardDeleted):
        return state.columns[change.column_id].card_ids[change.index + 1 :]
    source = state.columns[change.from_column_id].card_ids
    if change.from_column_id == change.to_column_id:
        low, high = sorted((change.from_index, change.index))
        return source[low : high + 1]
    target = state.columns[change.to_column_id].card_ids
    return (change.card_id, *source[change.from_index + 1 :], *target[change.index :])


def _moved(state: BoardState, change: CardMoved) -> BoardState:
    cards = Cards.of(state.cards)
    if change.to_column_id != change.from_column_id:
        # Before the times are renewed, because a card that is put has its own time.
        cards = cards.put(replace(cards[change.card_id], column_id=change.to_column_id))
    cards = _renewed(cards, state, change)
    columns = _with(state.columns, _without(state.columns[change.from_column_id], change.from_index))
    columns = _with(columns, _inserted(columns[change.to_column_id], change.card_id, change.index))
    return BoardState(columns, cards)


def _renewed(cards: Cards, state: BoardState, change: CardMoved | CardDeleted) -> Cards:
    """Return `cards`; those that `change` displaces in `state` get its time."""
    return cards if change.updated_at is None else cards.renew(displaced(state, change), change.updated_at)


def _with(columns: Mapping[ColumnId, Column], column: Column) -> Mapping[ColumnId, Column]:
    return {**columns, column.id: column}


def _inserted(column: Column, card_id: CardId, index: int) -> Column:
    return replace(column, card_ids=(*column.card_ids[:index], card_id, *column.card_ids[index:]))


def _without(column: Column, index: int) -> Column:
    return replace(column, card_ids=(*column.card_ids[:index], *column.card_ids[index + 1 :]))


def _titled(column: Column | None, heading: Heading) -> Column:
    return Column(heading.id, heading.title, column.card_ids if column else ())
