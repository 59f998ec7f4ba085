"""Payloads about a board and its cards, and about the dashboard."""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from typing import ClassVar, assert_never

import orjson

from realtime.clock import iso
from realtime.dashboard.overview import DashboardOverview
from realtime.kanban import changes
from realtime.kanban.ids import Id
from realtime.kanban.input.fields import IsoTime
from realtime.kanban.models import BoardState, Card
from realtime.kanban.wire.board_wire import CARD_KEYS, card_wire, state_json
from realtime.kanban.wire.patch import Operation
from realtime.messages.payloads.base import Key, Payload, key, optional_key, payload
from realtime.messages.timeline import Moment

__all__ = [
    "CardCreated",
    "CardDeleted",
    "CardMoved",
    "CardUpdated",
    "ColumnsChanged",
    "Overview",
    "Patch",
    "State",
    "of_change",
]

_RENEWAL = "The new `updatedAt` of every card whose index in its column changed; absent if none has a new one."


@payload
class State(Payload):
    """The whole [state](protocol.md#state) of the board."""

    type: ClassVar[str] = "state"
    state: BoardState

    def json(self) -> bytes:
        """Return the state, joined from the cached JSON of its cards."""
        return state_json(self.state)


@payload
class Overview(Payload):
    """The whole [dashboard](protocol.md#types-of-the-dashboards-stream)."""

    type: ClassVar[str] = "dashboard_overview"
    overview: DashboardOverview

    def json(self) -> bytes:
        """Return the overview as JSON; it is encoded once for all subscribers of its time range."""
        return self.overview.to_json()


@payload
class Patch(Payload):
    """A list of operations of JSON Patch ([RFC 6902](https://www.rfc-editor.org/rfc/rfc6902)) on the state."""

    type: ClassVar[str] = "patch"
    operations: list[Operation]

    def json(self) -> bytes:
        """Return the operations as the JSON of the payload."""
        return orjson.dumps(self.operations)


@payload
class CardCreated(Payload):
    """A card was created."""

    type: ClassVar[str] = "card_created"
    column_id: Id = key("Its column.")
    index: int = key("Its place in the column, from 0; the cards from there on make room.")
    card: Card = key("The card, as in a state.")
    #: The change with the states around it. It is no key; here and below, GraphQL shows the board of that moment.
    moment: Moment = field(compare=False, repr=False)

    def json(self) -> bytes:
        """Return the keys, with the card as in a state."""
        return orjson.dumps({"columnId": self.column_id, "index": self.index, "card": card_wire(self.card)})


@payload
class CardUpdated(Payload):
    """A card has new values; its index is the same."""

    type: ClassVar[str] = "card_updated"
    card: Card
    #: Attributes of the card that have a new value.
    fields: tuple[str, ...]
    moment: Moment = field(compare=False, repr=False)

    @classmethod
    def wire_keys(cls) -> tuple[Key, ...]:
        """Return the keys. They are no attributes, because the change is encoded only when its JSON is needed."""
        return (
            Key("cardId", Id, "The card."),
            Key("set", dict, "Keys of the card with their new values."),
            Key("unset", list[str], "Keys that the card no longer has."),
        )

    def json(self) -> bytes:
        """Return the new values of the card as in a state."""
        wire = card_wire(self.card)
        keys = [CARD_KEYS[name] for name in self.fields]
        given = {key: wire[key] for key in keys if key in wire}
        gone = [key for key in keys if key not in wire]
        return orjson.dumps({"cardId": self.card.id, "set": given, "unset": gone})


@payload
class CardMoved(Payload):
    """A card was moved."""

    type: ClassVar[str] = "card_moved"
    card_id: Id = key("The card.")
    from_column_id: Id = key("The column in which it was.")
    from_index: int = key("Its index there.")
    to_column_id: Id = key("The column in which it is now.")
    to_index: int = key("Its index there, counted without the card.")
    updated_at: IsoTime | None = optional_key(_RENEWAL)
    moment: Moment = field(compare=False, repr=False)


@payload
class CardDeleted(Payload):
    """A card was deleted."""

    type: ClassVar[str] = "card_deleted"
    card_id: Id = key("The card.")
    column_id: Id = key("The column in which it was.")
    index: int = key("Its index there; the cards below move up.")
    updated_at: IsoTime | None = optional_key(_RENEWAL)
    moment: Moment = field(compare=False, repr=False)


@payload
class ColumnsChanged(Payload):
    """The columns, their titles or their order changed. New columns are empty, and only empty columns are removed."""

    type: ClassVar[str] = "columns_changed"
    columns: tuple[changes.Heading, ...] = key("All columns, from left to right.")
    moment: Moment = field(compare=False, repr=False)


def of_change(moment: Moment) -> Payload:
    """Return the payload of a change in the delivery `changes`; its type is `moment.change.type`."""
    change = moment.change
    match change:
        case changes.CardMoved():
            return CardMoved(
                change.card_id,
                change.from_column_id,
                change.from_index,
                change.to_column_id,
                change.index,
                _text(change.updated_at),
                moment,
            )
        case changes.CardUpdated(card=card, fields=names):
            return CardUpdated(card, names, moment)
        case changes.CardCreated(card=card, index=index):
            return CardCreated(card.column_id, index, card, moment)
        case changes.CardDeleted(card_id=card_id, column_id=column_id, index=index, updated_at=at):
            return CardDeleted(card_id, column_id, index, _text(at), moment)
        case changes.ColumnsChanged(columns):
            return ColumnsChanged(columns, moment)
        case _:
            assert_never(change)


def _text(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
