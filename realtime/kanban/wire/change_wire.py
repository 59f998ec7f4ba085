"""A change of a board as JSON: the payloads of the delivery `changes`. This module only encodes."""

from __future__ import annotations

from typing import Any, assert_never

from realtime.clock import iso
from realtime.kanban.changes import CardCreated, CardDeleted, CardMoved, CardUpdated, ColumnsChanged, Difference
from realtime.kanban.wire.board_wire import CARD_KEYS, card_wire

__all__ = ["change_wire"]


def change_wire(change: Difference) -> dict[str, Any]:
    """Return the payload of the envelope for `change`; the envelope's type is `change.type`.

    The payload has all that a client needs to apply the change to its state:

    - `card_created {columnId, index, card}`: the card as in a state.
    - `card_updated {cardId, set, unset}`: keys of the card with new values, and keys that it no longer has.
    - `card_moved {cardId, fromColumnId, fromIndex, toColumnId, toIndex, updatedAt?}`: `toIndex` is counted without the
      card. If `updatedAt` is present, every card whose index changes gets it, including the moved card.
    - `card_deleted {cardId, columnId, index, updatedAt?}`: `updatedAt` as in `card_moved`.
    - `columns_changed {columns: [{id, title}]}`: all columns, from left to right. New columns are empty, and only empty
      columns are removed.
    """
    match change:
        case CardCreated(card=card, index=index):
            return {"columnId": card.column_id, "index": index, "card": card_wire(card)}
        case CardUpdated():
            return _updated(change)
        case CardMoved():
            return {
                "cardId": change.card_id,
                "fromColumnId": change.from_column_id,
                "fromIndex": change.from_index,
                "toColumnId": change.to_column_id,
                "toIndex": change.index,
                **_renewal(change),
            }
        case CardDeleted(card_id=card_id, column_id=column_id, index=index):
            return {"cardId": card_id, "columnId": column_id, "index": index, **_renewal(change)}
        case ColumnsChanged(columns=columns):
            return {"columns": [{"id": column.id, "title": column.title} for column in columns]}
        case _:
            assert_never(change)


def _updated(change: CardUpdated) -> dict[str, Any]:
    wire = card_wire(change.card)
    keys = [CARD_KEYS[name] for name in change.fields]
    given = {key: wire[key] for key in keys if key in wire}
    return {"cardId": change.card.id, "set": given, "unset": [key for key in keys if key not in wire]}


def _renewal(change: CardMoved | CardDeleted) -> dict[str, str]:
    return {} if change.updated_at is None else {"updatedAt": iso(change.updated_at)}
