"""Payloads of the delivery `changes` → GraphQL types; `mapping` has all others. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from realtime.kanban.ids import BoardId
from realtime.messages import payloads
from realtime.messages.payloads import Payload
from schema.envelopes import board_changes
from schema.types.enums import CardField

__all__ = ["CHANGES", "Change"]

Change = (
    board_changes.CardCreated
    | board_changes.CardUpdated
    | board_changes.CardMoved
    | board_changes.CardDeleted
    | board_changes.ColumnsChanged
)


def _created(cursor: str, board_id: BoardId, created: payloads.CardCreated) -> Change:
    return board_changes.CardCreated(
        cursor=cursor, board_id=board_id, moment=created.moment, card=created.card, index=created.index
    )


def _updated(cursor: str, board_id: BoardId, updated: payloads.CardUpdated) -> Change:
    return board_changes.CardUpdated(
        cursor=cursor,
        board_id=board_id,
        moment=updated.moment,
        card=updated.card,
        fields=[CardField(name) for name in updated.fields],
    )


def _moved(cursor: str, board_id: BoardId, moved: payloads.CardMoved) -> Change:
    return board_changes.CardMoved(
        cursor=cursor,
        board_id=board_id,
        moment=moved.moment,
        payload=moved,
        from_index=moved.from_index,
        to_index=moved.to_index,
    )


def _deleted(cursor: str, board_id: BoardId, deleted: payloads.CardDeleted) -> Change:
    return board_changes.CardDeleted(
        cursor=cursor, board_id=board_id, moment=deleted.moment, payload=deleted, index=deleted.index
    )


def _columns(cursor: str, board_id: BoardId, changed: payloads.ColumnsChanged) -> Change:
    return board_changes.ColumnsChanged(cursor=cursor, board_id=board_id, moment=changed.moment)


#: Class of a payload → a function that makes the member of a union from cursor, board and payload.
CHANGES: dict[type[Payload], Callable[[str, BoardId, Any], Change]] = {
    payloads.CardCreated: _created,
    payloads.CardUpdated: _updated,
    payloads.CardMoved: _moved,
    payloads.CardDeleted: _deleted,
    payloads.ColumnsChanged: _columns,
}
