"""Events of a board and its cards."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from realtime.kanban.events.base import OfBoard
from realtime.kanban.events.state_input import BoardStateInput
from realtime.kanban.ids import Id
from realtime.kanban.input.many import Many

__all__ = ["BoardColumnsInitialized", "BoardStateChanged", "CardCreated", "CardDeleted", "CardMoved", "CardUpdated"]


class BoardStateChanged(OfBoard):
    """The board has a new state: the whole `state` from outside, or, without `state`, the changes in the log."""

    type: Literal["board.state.changed"] = "board.state.changed"
    state: BoardStateInput | None = Field(
        default=None,
        description="The whole new state, needed from outside: an object of `columns`, `columnOrder` and `cards`.",
    )
    reason: str | None = Field(default=None, description="Why it changed, for people.")


class BoardColumnsInitialized(OfBoard):
    """The default columns were made."""

    type: Literal["board.columns.initialized"] = "board.columns.initialized"
    column_ids: Annotated[tuple[Id, ...], Many] = Field(description="Ids of the columns, from left to right.")


class CardCreated(OfBoard):
    """Accompanies `board.state.changed`: a card was made."""

    type: Literal["card.created"] = "card.created"
    column_id: Id = Field(description="Id of the column it was put in.")
    card_id: Id = Field(description="Id of the card.")


class CardUpdated(OfBoard):
    """Accompanies `board.state.changed`: fields of a card changed."""

    type: Literal["card.updated"] = "card.updated"
    card_id: Id = Field(description="Id of the card.")
    changes: dict[str, Any] = Field(default_factory=dict, description="The new values by name of the field: an object.")


class CardMoved(OfBoard):
    """Accompanies `board.state.changed`: a card moved."""

    type: Literal["card.moved"] = "card.moved"
    card_id: Id = Field(description="Id of the card.")
    from_column_id: Id = Field(description="Id of the column it left.")
    to_column_id: Id = Field(description="Id of the column it is in now.")
    # Any value: in the original the index is what the client sent, and the original did not check it.
    to_index: int | float | str | None = Field(
        default=None, description="Its index there, from 0, as it came; it may be any number or text."
    )


class CardDeleted(OfBoard):
    """Accompanies `board.state.changed`: a card was deleted."""

    type: Literal["card.deleted"] = "card.deleted"
    card_id: Id = Field(description="Id of the card.")
    column_id: Id | None = Field(default=None, description="Id of the column it was in.")
