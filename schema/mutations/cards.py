"""Mutations of the cards of a board: the commands of the raw socket."""

from __future__ import annotations

from typing import Annotated

import strawberry

from realtime.bus import Executed
from realtime.kanban import models
from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard, UpdateCard, parse_command
from realtime.kanban.ids import BoardId, CardId
from schema.context import Info
from schema.inputs import CreateCardInput, DeleteCardInput, MoveCardInput, UpdateCardInput
from schema.objects import BoardState, Card
from schema.refusals import (
    BoardNotFound,
    CardBlocked,
    CardIsDone,
    CardNotFound,
    ColumnNotFound,
    DependencyCycle,
    DependencyMismatch,
    InvalidInput,
    refusable,
)

__all__ = ["CardMutations", "CreateCardPayload", "DeleteCardPayload", "MoveCardPayload", "UpdateCardPayload"]

_BoardIdArgument = Annotated[strawberry.ID, strawberry.argument(description="Id of the board.")]


@strawberry.type
class _Changed:
    """What all answers share; no type of the schema."""

    state: BoardState = strawberry.field(description="The board after the change.")
    cursor: str = strawberry.field(
        description="The position behind the change; a stream that has reached it shows the change."
    )


@strawberry.type
class _CardChanged(_Changed):
    """The answer with a card; no type of the schema."""

    card: models.Card = strawberry.field(graphql_type=Card, description="The card after the change.")


@strawberry.type(description="What `createCard` did.")
class CreateCardPayload(_CardChanged):
    """What `createCard` did."""


@strawberry.type(description="What `updateCard` did; values that are the same already change nothing.")
class UpdateCardPayload(_CardChanged):
    """What `updateCard` did."""


@strawberry.type(description="What `moveCard` did; a move to where the card is changes nothing.")
class MoveCardPayload(_CardChanged):
    """What `moveCard` did."""


@strawberry.type(description="What `deleteCard` did.")
class DeleteCardPayload(_Changed):
    """What `deleteCard` did."""

    card_id: strawberry.ID = strawberry.field(description="Id of the card that is gone.")


CreateCardResult = Annotated[
    CreateCardPayload | BoardNotFound | ColumnNotFound | DependencyMismatch | InvalidInput,
    strawberry.union("CreateCardResult", description="The answer to `createCard`: the card, or why there is none."),
]
UpdateCardResult = Annotated[
    UpdateCardPayload | BoardNotFound | CardNotFound | DependencyCycle | DependencyMismatch | InvalidInput,
    strawberry.union("UpdateCardResult", description="The answer to `updateCard`: the card, or why it is as it was."),
]
MoveCardResult = Annotated[
    MoveCardPayload | BoardNotFound | CardNotFound | ColumnNotFound | CardIsDone | CardBlocked | InvalidInput,
    strawberry.union("MoveCardResult", description="The answer to `moveCard`: the card, or why it is where it was."),
]
DeleteCardResult = Annotated[
    DeleteCardPayload | BoardNotFound | CardNotFound | InvalidInput,
    strawberry.union("DeleteCardResult", description="The answer to `deleteCard`: the id, or why nothing was deleted."),
]


@strawberry.type
class CardMutations:
    """Mutations of cards; part of the root."""

    @refusable("Make a card at the end of a column.", CreateCardResult)
    async def create_card(
        self,
        info: Info,
        board_id: _BoardIdArgument,
        input: Annotated[CreateCardInput, strawberry.argument(description="The card.")],
    ) -> CreateCardPayload:
        """Carry out `CreateCard`."""
        command = parse_command(CreateCard, input.payload())
        executed = await info.context.node.bus.execute(BoardId(board_id), command)
        return CreateCardPayload(state=_state(executed), cursor=_cursor(executed), card=_card(executed, command))

    @refusable("Give a card new values.", UpdateCardResult)
    async def update_card(
        self,
        info: Info,
        board_id: _BoardIdArgument,
        input: Annotated[UpdateCardInput, strawberry.argument(description="The card and its new values.")],
    ) -> UpdateCardPayload:
        """Carry out `UpdateCard`."""
        command = parse_command(UpdateCard, input.payload())
        executed = await info.context.node.bus.execute(BoardId(board_id), command)
        return UpdateCardPayload(state=_state(executed), cursor=_cursor(executed), card=_card(executed, command))

    @refusable("Put a card at a place of a column.", MoveCardResult)
    async def move_card(
        self,
        info: Info,
        board_id: _BoardIdArgument,
        input: Annotated[MoveCardInput, strawberry.argument(description="The card and its new place.")],
    ) -> MoveCardPayload:
        """Carry out `MoveCard`."""
        command = parse_command(MoveCard, input.payload())
        executed = await info.context.node.bus.execute(BoardId(board_id), command)
        return MoveCardPayload(state=_state(executed), cursor=_cursor(executed), card=_card(executed, command))

    @refusable("Delete a card and every dependency on it.", DeleteCardResult)
    async def delete_card(
        self,
        info: Info,
        board_id: _BoardIdArgument,
        input: Annotated[DeleteCardInput, strawberry.argument(description="The card.")],
    ) -> DeleteCardPayload:
        """Carry out `DeleteCard`."""
        command = parse_command(DeleteCard, input.payload())
        executed = await info.context.node.bus.execute(BoardId(board_id), command)
        return DeleteCardPayload(state=_state(executed), cursor=_cursor(executed), card_id=input.card_id)


def _state(executed: Executed) -> BoardState:
    return BoardState(board_id=executed.board.id, state=executed.board.state, cursor=_cursor(executed))


def _cursor(executed: Executed) -> str:
    return executed.position.cursor


def _card(executed: Executed, command: CreateCard | UpdateCard | MoveCard) -> models.Card:
    return executed.board.state.cards[CardId(command.card_id)]
