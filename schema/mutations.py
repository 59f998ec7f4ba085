"""The mutations: parse, hand to the bus, show what came of it. The rules are the commands' own.

A refusal is an exception here and becomes an error with a code in `schema.errors`.
"""

from __future__ import annotations

from typing import Annotated

import strawberry

from realtime.bus import Executed
from realtime.kanban import models
from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard, UpdateCard, parse_command
from realtime.kanban.ids import BoardId, CardId
from schema.context import Info
from schema.fields import resolved
from schema.inputs import CreateCardInput, DeleteCardInput, MoveCardInput, UpdateCardInput
from schema.objects import BoardState, Card

__all__ = ["CreateCardPayload", "DeleteCardPayload", "MoveCardPayload", "Mutation", "UpdateCardPayload"]

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


@strawberry.type(description="The answer to `createCard`.")
class CreateCardPayload(_CardChanged):
    """What `createCard` did."""


@strawberry.type(description="The answer to `updateCard`; values that are the same already change nothing.")
class UpdateCardPayload(_CardChanged):
    """What `updateCard` did."""


@strawberry.type(description="The answer to `moveCard`; a move to where the card is changes nothing.")
class MoveCardPayload(_CardChanged):
    """What `moveCard` did."""


@strawberry.type(description="The answer to `deleteCard`.")
class DeleteCardPayload(_Changed):
    """What `deleteCard` did."""

    card_id: strawberry.ID = strawberry.field(description="Id of the card that is gone.")


@strawberry.type(description="Commands on the cards of a board; everybody who watches it sees what they did.")
class Mutation:
    """The root of mutations."""

    @resolved("Make a card at the end of a column.")
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

    @resolved("Give a card new values.")
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

    @resolved("Put a card at a place of a column.")
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

    @resolved("Delete a card and every dependency on it.")
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
    return BoardState(state=executed.board.state, cursor=_cursor(executed))


def _cursor(executed: Executed) -> str:
    return executed.position.cursor


def _card(executed: Executed, command: CreateCard | UpdateCard | MoveCard) -> models.Card:
    return executed.board.state.cards[CardId(command.card_id)]
