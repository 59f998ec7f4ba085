"""Events of a board and its cards."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from realtime.kanban.events.base import OfBoard
from realtime.kanban.ids import Id
from realtime.kanban.state_input import BoardStateInput

__all__ = ["BoardColumnsInitialized", "BoardStateChanged", "CardCreated", "CardDeleted", "CardMoved", "CardUpdated"]


class BoardStateChanged(OfBoard):
    """The board has a new state: with `state` a whole one from outside, without it the sum of the log's changes."""

    type: Literal["board.state.changed"] = "board.state.changed"
    state: BoardStateInput | None = None
    reason: str | None = None


class BoardColumnsInitialized(OfBoard):
    """The default columns were made."""

    type: Literal["board.columns.initialized"] = "board.columns.initialized"
    column_ids: tuple[Id, ...]


class CardCreated(OfBoard):
    """A note beside `board.state.changed`: a card was made."""

    type: Literal["card.created"] = "card.created"
    column_id: Id
    card_id: Id


class CardUpdated(OfBoard):
    """A note beside `board.state.changed`: fields of a card changed."""

    type: Literal["card.updated"] = "card.updated"
    card_id: Id
    changes: dict[str, Any] = Field(default_factory=dict)


class CardMoved(OfBoard):
    """A note beside `board.state.changed`: a card has another place."""

    type: Literal["card.moved"] = "card.moved"
    card_id: Id
    from_column_id: Id
    to_column_id: Id
    # Anything: in the original the index is what the client sent, and there it was not checked.
    to_index: int | float | str | None = None


class CardDeleted(OfBoard):
    """A note beside `board.state.changed`: a card is gone."""

    type: Literal["card.deleted"] = "card.deleted"
    card_id: Id
    column_id: Id | None = None
