"""The members of `boardEvents` and `boardChanges` for single changes of a board, with all data to apply them.

A change shows the board as of that change, without reading the store: the envelope has the states around it
(`realtime.messages.timeline`). As in `feed`, fields with one name have one type in all members.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import strawberry

from realtime.kanban import changes, models
from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.messages import payloads
from realtime.messages.timeline import Moment
from schema.types.enums import CardField
from schema.types.fields import resolved
from schema.types.objects import BoardState, Card, Column
from schema.types.positions import StreamEvent

__all__ = ["CardCreated", "CardDeleted", "CardMoved", "CardUpdated", "ColumnsChanged", "Heartbeat"]


@strawberry.type
class _Change(StreamEvent):
    """Fields of all changes; no type of the schema."""

    board_id: strawberry.Private[BoardId]
    moment: strawberry.Private[Moment]

    @resolved("The whole board after this change.", BoardState)
    def state(self) -> BoardState:
        """The state after the change."""
        return BoardState(board_id=strawberry.ID(self.board_id), state=self.moment.after, cursor=self.cursor)

    def column_after(self, id: ColumnId) -> Column:
        """Return a column after the change."""
        state = self.moment.after
        return Column(board_id=strawberry.ID(self.board_id), column=state.columns[id], state=state)


@strawberry.type
class _Displacing(_Change):
    """Fields of the changes that displace other cards; no type of the schema."""

    @resolved("The new `updatedAt` of the cards in `renewed`; null when there are none.", datetime | None)
    def updated_at(self) -> datetime | None:
        """The time of the renewal."""
        return self._displacement.updated_at

    @resolved(
        "The cards whose index in their column changed, after this change: their `updatedAt` is new. A moved card is "
        "one of them, a deleted card is not. Empty for a difference of a whole state from outside: it renews no card.",
        list[Card],
    )
    def renewed(self) -> Sequence[models.Card]:
        """Return the displaced cards whose `updatedAt` the change has renewed, as they are after it."""
        displacement, after = self._displacement, self.moment.after
        if displacement.updated_at is None:
            return []
        return [after.cards[id] for id in changes.displaced(self.moment.before, displacement)]

    @property
    def _displacement(self) -> changes.CardMoved | changes.CardDeleted:
        change = self.moment.change
        if not isinstance(change, changes.CardMoved | changes.CardDeleted):
            raise TypeError(f"expected a move or deletion, got {change!r:.80}")
        return change


@strawberry.type(description="A card is new.")
class CardCreated(_Change):
    """`card_created`."""

    card: models.Card = strawberry.field(graphql_type=Card, description="The card.")
    index: int = strawberry.field(description="Its place in the column, from 0; the cards from there on make room.")

    @resolved("Its column, after this change.", Column)
    def column(self) -> Column:
        """The column of the card."""
        return self.column_after(self.card.column_id)


@strawberry.type(description="A card has new values; its place is the same.")
class CardUpdated(_Change):
    """`card_updated`."""

    card: models.Card = strawberry.field(graphql_type=Card, description="The whole card, after this change.")
    fields: list[CardField] = strawberry.field(description="The fields that have a new value.")


@strawberry.type(description="A card is at another place.")
class CardMoved(_Displacing):
    """`card_moved`."""

    payload: strawberry.Private[payloads.CardMoved]
    from_index: int = strawberry.field(description="Its index in the column in which it was.")
    to_index: int = strawberry.field(description="Its index in the column in which it is, counted without the card.")

    @resolved("The card, after this change.", Card)
    def card(self) -> models.Card:
        """Return the moved card as it is after the change."""
        return self.moment.after.cards[CardId(self.payload.card_id)]

    @resolved("The column in which it was, after this change.", Column)
    def from_column(self) -> Column:
        """The column that the card left."""
        return self.column_after(ColumnId(self.payload.from_column_id))

    @resolved("The column in which it is, after this change.", Column)
    def to_column(self) -> Column:
        """The column that the card came to."""
        return self.column_after(ColumnId(self.payload.to_column_id))


@strawberry.type(description="A card is gone.")
class CardDeleted(_Displacing):
    """`card_deleted`."""

    payload: strawberry.Private[payloads.CardDeleted]
    index: int = strawberry.field(description="Its index in the column; the cards below move up.")

    @resolved("The card, as it was before this change.", Card)
    def card(self) -> models.Card:
        """Return the deleted card as it was before the change."""
        return self.moment.before.cards[CardId(self.payload.card_id)]

    @resolved("The column in which it was, after this change.", Column)
    def column(self) -> Column:
        """The column that the card left."""
        return self.column_after(ColumnId(self.payload.column_id))


@strawberry.type(
    description="The columns, their titles or their order have changed: `state` has all of them. New columns begin "
    "empty; only empty columns are removed."
)
class ColumnsChanged(_Change):
    """`columns_changed`."""


@strawberry.type(
    description="A heartbeat, every `heartbeatSeconds` of `Hello`, with which a client can check its copy."
)
class Heartbeat(StreamEvent):
    """`heartbeat`."""

    server_time: str = strawberry.field(graphql_type=datetime, description="The server's clock.")
    hash: str = strawberry.field(
        description="SHA-256, in lower-case hex, of the board's state at that position: the state of the raw exits in "
        "the canonical form of RFC 8785."
    )
