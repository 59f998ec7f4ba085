"""Payloads of the delivery `changes` → GraphQL types; `mapping` has all others. Pure.

The other envelopes of a board's stream (attempts, commits, agents) have no member here; the selector leaves them out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import strawberry

from realtime.kanban.ids import BoardId
from realtime.kanban.wire.board_wire import CARD_KEYS
from realtime.messages import payloads
from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import Payload
from schema.envelopes import board_changes, mapping
from schema.types.enums import CardField

__all__ = ["BOARD_CHANGE_TYPES", "LEFT_OUT", "board_change"]


def board_change(envelope: Envelope, board_id: BoardId) -> board_changes.BoardChange:
    """Return an envelope as a member of the union.

    Raises:
        UnexpectedEnvelope: the union has no member for its type.
    """
    if envelope.type in _SHARED:
        return cast("board_changes.BoardChange", mapping.board_event(envelope, board_id))
    make = _CHANGES.get(type(envelope.payload))
    if make is None:
        raise mapping.UnexpectedEnvelope(f"expected one of {', '.join(BOARD_CHANGE_TYPES)}, got {envelope!r}")
    return make(envelope.cursor, envelope.payload)


def _created(cursor: str | None, change: payloads.CardCreated) -> board_changes.CardCreated:
    column_id = strawberry.ID(change.column_id)
    return board_changes.CardCreated(cursor=cursor, column_id=column_id, index=change.index, card=change.card)


def _updated(cursor: str | None, change: payloads.CardUpdated) -> board_changes.CardUpdated:
    new: dict[str, Any] = {name: getattr(change.card, name) for name in change.fields}
    return board_changes.CardUpdated(
        cursor=cursor,
        card_id=strawberry.ID(change.card.id),
        fields=[CardField(name) for name in change.fields],
        **{name: new.get(name) for name in CARD_KEYS if name != "depends_on"},
        depends_on=list(new.get("depends_on", ())),
    )


def _moved(cursor: str | None, change: payloads.CardMoved) -> board_changes.CardMoved:
    return board_changes.CardMoved(
        cursor=cursor,
        card_id=strawberry.ID(change.card_id),
        from_column_id=strawberry.ID(change.from_column_id),
        from_index=change.from_index,
        to_column_id=strawberry.ID(change.to_column_id),
        to_index=change.to_index,
        updated_at=change.updated_at,
    )


def _deleted(cursor: str | None, change: payloads.CardDeleted) -> board_changes.CardDeleted:
    return board_changes.CardDeleted(
        cursor=cursor,
        card_id=strawberry.ID(change.card_id),
        column_id=strawberry.ID(change.column_id),
        index=change.index,
        updated_at=change.updated_at,
    )


def _columns(cursor: str | None, change: payloads.ColumnsChanged) -> board_changes.ColumnsChanged:
    return board_changes.ColumnsChanged(cursor=cursor, columns=change.columns)


def _heartbeat(cursor: str | None, beat: payloads.Heartbeat) -> board_changes.Heartbeat:
    # The cursor is in the payload: a heartbeat is no event of the channel, and a client cannot resume after it.
    if beat.hash is None:
        raise mapping.UnexpectedEnvelope(f"expected a heartbeat with a hash, got {beat!r}")
    return board_changes.Heartbeat(cursor=beat.cursor, ts=beat.ts, hash=beat.hash)


#: Envelopes that `boardEvents` has too.
_SHARED = frozenset({kind.type for kind in (payloads.Hello, payloads.State, payloads.Gap, payloads.Goodbye)})
_CHANGES: dict[type[Payload], Callable[[str | None, Any], board_changes.BoardChange]] = {
    payloads.CardCreated: _created,
    payloads.CardUpdated: _updated,
    payloads.CardMoved: _moved,
    payloads.CardDeleted: _deleted,
    payloads.ColumnsChanged: _columns,
    payloads.Heartbeat: _heartbeat,
}
#: Types of raw envelopes that have a member in the union.
BOARD_CHANGE_TYPES = _SHARED | {kind.type for kind in _CHANGES}
#: Types of the stream that only `boardEvents` shows.
LEFT_OUT = mapping.BOARD_EVENT_TYPES - BOARD_CHANGE_TYPES
