"""Mutations of cards: the commands of the raw WebSocket."""

from __future__ import annotations

from typing import Annotated, TypeVar

import strawberry

from realtime.global_ids import Kind, global_id
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
    IdempotencyKeyReused,
    InvalidInput,
    refusable,
)
from schema.types.inputs import CreateCardInput, DeleteCardInput, MoveCardInput, UpdateCardInput, key_of
from schema.types.node import BoardArgument, board_of
from schema.types.objects import BoardState, Card
from schema.types.positions import offset_field

__all__ = ["CardMutations", "CreateCardPayload", "DeleteCardPayload", "MoveCardPayload", "UpdateCardPayload"]


@strawberry.type
class _Changed:
    """Fields of all answers; no type of the schema."""

    state: BoardState = strawberry.field(description="The board after the change.")
    cursor: str = strawberry.field(
        description="The position after the change; a stream that has reached it shows the change."
    )
    offset = offset_field("The offset of the position after the change.")


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

    card_id: strawberry.ID = strawberry.field(description="Id of the deleted card on its board.")
    deleted_id: strawberry.ID = strawberry.field(description="The `id` that the card had, for caches to forget it.")


CreateCardResult = Annotated[
    CreateCardPayload | BoardNotFound | ColumnNotFound | DependencyMismatch | InvalidInput | IdempotencyKeyReused,
    strawberry.union("CreateCardResult", description="The answer to `createCard`: the card, or the refusal."),
]
UpdateCardResult = Annotated[
    UpdateCardPayload
    | BoardNotFound
    | CardNotFound
    | DependencyCycle
    | DependencyMismatch
    | InvalidInput
    | IdempotencyKeyReused,
    strawberry.union("UpdateCardResult", description="The answer to `updateCard`: the card, or the refusal."),
]
MoveCardResult = Annotated[
    MoveCardPayload
    | BoardNotFound
    | CardNotFound
    | ColumnNotFound
    | CardIsDone
    | CardBlocked
    | InvalidInput
    | IdempotencyKeyReused,
    strawberry.union("MoveCardResult", description="The answer to `moveCard`: the card, or the refusal."),
]
DeleteCardResult = Annotated[
    DeleteCardPayload | BoardNotFound | CardNotFound | InvalidInput | IdempotencyKeyReused,
    strawberry.union("DeleteCardResult", description="The answer to `deleteCard`: the id, or the refusal."),
]


@strawberry.type
class CardMutations:
    """Mutations of cards; part of the root."""

    @refusable("Make a card at the end of a column.", CreateCardResult)
    async def create_card(
        self,
        info: Info,
        board_id: BoardArgument,
        input: Annotated[CreateCardInput, strawberry.argument(description="The card.")],
    ) -> CreateCardPayload:
        """Carry out `CreateCard`."""
        return await _change_card(CreateCardPayload, info, board_of(board_id), CreateCard, input)

    @refusable("Give a card new values.", UpdateCardResult)
    async def update_card(
        self,
        info: Info,
        board_id: BoardArgument,
        input: Annotated[UpdateCardInput, strawberry.argument(description="The card and its new values.")],
    ) -> UpdateCardPayload:
        """Carry out `UpdateCard`."""
        return await _change_card(UpdateCardPayload, info, board_of(board_id), UpdateCard, input)

    @refusable("Put a card at a place of a column.", MoveCardResult)
    async def move_card(
        self,
        info: Info,
        board_id: BoardArgument,
        input: Annotated[MoveCardInput, strawberry.argument(description="The card and its new position.")],
    ) -> MoveCardPayload:
        """Carry out `MoveCard`."""
        return await _change_card(MoveCardPayload, info, board_of(board_id), MoveCard, input)

    @refusable("Delete a card and every dependency on it.", DeleteCardResult)
    async def delete_card(
        self,
        info: Info,
        board_id: BoardArgument,
        input: Annotated[DeleteCardInput, strawberry.argument(description="The card.")],
    ) -> DeleteCardPayload:
        """Carry out `DeleteCard`."""
        board = board_of(board_id)
        command = parse_command(DeleteCard, input.payload(board))
        executed = await info.context.execute(board, command, key_of(input.idempotency_key))
        return DeleteCardPayload(
            state=_state(executed),
            cursor=executed.position.cursor,
            card_id=strawberry.ID(command.card_id),
            deleted_id=strawberry.ID(global_id(Kind.CARD, board, command.card_id)),
        )


async def _change_card(
    payload: type[_P],
    info: Info,
    board_id: BoardId,
    kind: type[CreateCard | UpdateCard | MoveCard],
    input: CreateCardInput | UpdateCardInput | MoveCardInput,
) -> _P:
    """Carry out a command whose result is a card; return a `payload`."""
    command = parse_command(kind, input.payload(board_id))
    executed = await info.context.execute(board_id, command, key_of(input.idempotency_key))
    card_id = executed.created_card if isinstance(command, CreateCard) else CardId(command.card_id)
    card = executed.board.state.cards[card_id]
    return payload(state=_state(executed), cursor=executed.position.cursor, card=card)


def _state(executed: Executed) -> BoardState:
    return BoardState(
        board_id=strawberry.ID(executed.board.id), state=executed.board.state, cursor=executed.position.cursor
    )
