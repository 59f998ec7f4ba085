"""Mutations of cards: the commands of the raw WebSocket."""

from __future__ import annotations

from typing import Annotated, TypeVar

import strawberry

from realtime.kanban import models
from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard, UpdateCard, parse_command
from realtime.kanban.ids import BoardId, CardId
from realtime.service import Executed
from schema.execution.context import Info
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
from schema.types.inputs import CreateCardInput, DeleteCardInput, MoveCardInput, UpdateCardInput
from schema.types.objects import BoardState, Card

__all__ = ["CardMutations", "CreateCardPayload", "DeleteCardPayload", "MoveCardPayload", "UpdateCardPayload"]

_BoardIdArgument = Annotated[strawberry.ID, strawberry.argument(description="Id of the board.")]


@strawberry.type
class _Changed:
    """Fields of all answers; no type of the schema."""

    state: BoardState = strawberry.field(description="The board after the change.")
    cursor: str = strawberry.field(
        description="The position after the change; a stream that has reached it shows the change."
    )


@strawberry.type
class _CardChanged(_Changed):
    """The answer with a card; no type of the schema."""

    card: models.Card = strawberry.field(graphql_type=Card, description="The card after the change.")


_P = TypeVar("_P", bound=_CardChanged)


@strawberry.type(description="The result of `createCard`.")
class CreateCardPayload(_CardChanged):
    """The result of `createCard`."""


@strawberry.type(description="The result of `updateCard`; values that are the same already change nothing.")
class UpdateCardPayload(_CardChanged):
    """The result of `updateCard`."""


@strawberry.type(description="The result of `moveCard`; a move to where the card is changes nothing.")
class MoveCardPayload(_CardChanged):
    """The result of `moveCard`."""


@strawberry.type(description="The result of `deleteCard`.")
class DeleteCardPayload(_Changed):
    """The result of `deleteCard`."""

    card_id: strawberry.ID = strawberry.field(description="Id of the deleted card.")


CreateCardResult = Annotated[
    CreateCardPayload | BoardNotFound | ColumnNotFound | DependencyMismatch | InvalidInput,
    strawberry.union("CreateCardResult", description="The answer to `createCard`: the card, or the refusal."),
]
UpdateCardResult = Annotated[
    UpdateCardPayload | BoardNotFound | CardNotFound | DependencyCycle | DependencyMismatch | InvalidInput,
    strawberry.union("UpdateCardResult", description="The answer to `updateCard`: the card, or the refusal."),
]
MoveCardResult = Annotated[
    MoveCardPayload | BoardNotFound | CardNotFound | ColumnNotFound | CardIsDone | CardBlocked | InvalidInput,
    strawberry.union("MoveCardResult", description="The answer to `moveCard`: the card, or the refusal."),
]
DeleteCardResult = Annotated[
    DeleteCardPayload | BoardNotFound | CardNotFound | InvalidInput,
    strawberry.union("DeleteCardResult", description="The answer to `deleteCard`: the id, or the refusal."),
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
        return await _change_card(CreateCardPayload, info, board_id, parse_command(CreateCard, input.payload()))

    @refusable("Give a card new values.", UpdateCardResult)
    async def update_card(
        self,
        info: Info,
        board_id: _BoardIdArgument,
        input: Annotated[UpdateCardInput, strawberry.argument(description="The card and its new values.")],
    ) -> UpdateCardPayload:
        """Carry out `UpdateCard`."""
        return await _change_card(UpdateCardPayload, info, board_id, parse_command(UpdateCard, input.payload()))

    @refusable("Put a card at a place of a column.", MoveCardResult)
    async def move_card(
        self,
        info: Info,
        board_id: _BoardIdArgument,
        input: Annotated[MoveCardInput, strawberry.argument(description="The card and its new position.")],
    ) -> MoveCardPayload:
        """Carry out `MoveCard`."""
        return await _change_card(MoveCardPayload, info, board_id, parse_command(MoveCard, input.payload()))

    @refusable("Delete a card and every dependency on it.", DeleteCardResult)
    async def delete_card(
        self,
        info: Info,
        board_id: _BoardIdArgument,
        input: Annotated[DeleteCardInput, strawberry.argument(description="The card.")],
    ) -> DeleteCardPayload:
        """Carry out `DeleteCard`."""
        command = parse_command(DeleteCard, input.payload())
        executed = await info.context.execute(BoardId(board_id), command)
        return DeleteCardPayload(state=_state(executed), cursor=executed.position.cursor, card_id=input.card_id)


async def _change_card(payload: type[_P], info: Info, board_id: str, command: CreateCard | UpdateCard | MoveCard) -> _P:
    """Carry out a command whose result is a card; return a `payload`."""
    executed = await info.context.execute(BoardId(board_id), command)
    card = executed.board.state.cards[CardId(command.card_id)]
    return payload(state=_state(executed), cursor=executed.position.cursor, card=card)


def _state(executed: Executed) -> BoardState:
    return BoardState(board_id=executed.board.id, state=executed.board.state, cursor=executed.position.cursor)
