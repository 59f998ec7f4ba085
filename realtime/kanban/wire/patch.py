"""A change of a board as JSON Patch (RFC 6902): operations on the JSON of a state, made from the change.

States are never compared, so an edit costs what it touches. A move or deletion also touches the displaced cards.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_never

from realtime.clock import iso
from realtime.kanban.changes import (
    CardCreated,
    CardDeleted,
    CardMoved,
    CardUpdated,
    ColumnsChanged,
    Difference,
    displaced,
)
from realtime.kanban.models import BoardState
from realtime.kanban.wire.board_wire import CARD_KEYS, card_wire

__all__ = ["Operation", "operations"]

#: `{op, path, value?, from?}`: one of `add`, `remove`, `replace`, `move`.
Operation = dict[str, Any]


def operations(before: BoardState, change: Difference) -> Iterator[Operation]:
    """Yield operations from the state before `change` to the state after it; `before` as in `as_differences`."""
    match change:
        case CardCreated(card=card, index=index):
            yield {"op": "add", "path": _pointer("cards", card.id), "value": card_wire(card)}
            yield {"op": "add", "path": _pointer("columns", card.column_id, "cardIds", index), "value": card.id}
        case CardUpdated():
            yield from _updated(before, change)
        case CardMoved():
            source = _pointer("columns", change.from_column_id, "cardIds", change.from_index)
            target = _pointer("columns", change.to_column_id, "cardIds", change.index)
            # RFC 6902 §4.4: a move removes the value first, so the target index is counted without it.
            yield {"op": "move", "from": source, "path": target}
            yield from _renewed(before, change)
        case CardDeleted(card_id=card_id, column_id=column_id, index=index):
            yield {"op": "remove", "path": _pointer("columns", column_id, "cardIds", index)}
            yield {"op": "remove", "path": _pointer("cards", card_id)}
            yield from _renewed(before, change)
        case ColumnsChanged():
            yield from _columns(change)
        case _:
            assert_never(change)


def _updated(before: BoardState, change: CardUpdated) -> Iterator[Operation]:
    old, new = card_wire(before.cards[change.card.id]), card_wire(change.card)
    for name in change.fields:
        key = CARD_KEYS[name]
        path = _pointer("cards", change.card.id, key)
        if key in new:
            yield {"op": "replace" if key in old else "add", "path": path, "value": new[key]}
        elif key in old:
            yield {"op": "remove", "path": path}


def _renewed(before: BoardState, change: CardMoved | CardDeleted) -> Iterator[Operation]:
    if change.updated_at is not None:
        at = iso(change.updated_at)
        for card_id in displaced(before, change):
            yield {"op": "replace", "path": _pointer("cards", card_id, "updatedAt"), "value": at}


def _columns(change: ColumnsChanged) -> Iterator[Operation]:
    old = {one.id: one.title for one in change.previous}
    new = {one.id: one.title for one in change.columns}
    for gone in (id for id in old if id not in new):
        yield {"op": "remove", "path": _pointer("columns", gone)}
    for id, title in new.items():
        if id not in old:
            yield {"op": "add", "path": _pointer("columns", id), "value": {"id": id, "title": title, "cardIds": []}}
        elif old[id] != title:
            yield {"op": "replace", "path": _pointer("columns", id, "title"), "value": title}
    if list(old) != list(new):
        yield {"op": "replace", "path": "/columnOrder", "value": list(new)}


def _pointer(*tokens: str | int) -> str:
    """Return a JSON Pointer (RFC 6901 §3: `~0` stands for `~`, `~1` for `/`; ids may contain both)."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)
