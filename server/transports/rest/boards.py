"""Boards and cards: calls that read a board and change its cards.

The rules are those of the [commands](protocol.md#commands): titles, descriptions, ticket types, dependencies, indices.
"""

from __future__ import annotations

import re

import orjson
from starlette.requests import Request
from starlette.routing import BaseRoute

from realtime.clock import iso
from realtime.errors import FieldError, PositionLost
from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.events import CardMoved
from realtime.kanban.ids import BoardId, CardId
from realtime.kanban.models import BoardState
from realtime.kanban.wire.board_wire import card_wire, columns_wire, state_json
from realtime.service import Executed
from realtime.service.access import board_not_found
from server.problem import Problem
from server.routing import resource
from server.transports.bodies import json_object
from server.transports.callers import asked_by
from server.transports.query import Parameter, first_values
from server.transports.rest.answers import BoardJson, CreatedCardJson, MovedCardJson, PastBoardJson
from server.transports.rest.calls import rest_call
from server.transports.rest.inputs import CardPlace, command_of, key_of
from server.transports.rest.refusals import (
    BOARD_NOT_FOUND,
    CARD_BLOCKED,
    CARD_IS_DONE,
    CARD_NOT_FOUND,
    COLUMN_NOT_FOUND,
    DEPENDENCY_CYCLE,
    DEPENDENCY_MISMATCH,
    HALF_A_MOVE,
    HISTORY_EXPIRED,
    NO_SUCH_EVENT,
    NO_UPDATES,
    OF_ANOTHER_BOARD,
    TARGET_NOT_FOUND,
    Refusal,
    refusals,
    strangers,
)

__all__ = ["board_routes"]

#: Both forms of a board's address.
BOARDS = ("/boards/{id}", "/projects/{id}/board")
OFFSET = Parameter("offset", "The number of an event in the log of the board, from 1. Without it the last one.")
#: Keys of a card in the answer to a move: the original had them in another order there, without `githubIssue`.
_MOVED_KEYS = (
    *("id", "ticketKey", "ticketType", "isEnhanced", "prUrl", "disableAutoCloseOnPRMerge"),
    *("title", "description", "dependsOn", "createdAt", "updatedAt"),
)


def board_routes() -> list[BaseRoute]:
    """Return the routes."""
    routes: list[BaseRoute] = []
    for board in BOARDS:
        routes += [
            resource(board, get=get_board),
            resource(f"{board}/past", get=get_past),
            resource(f"{board}/cards", post=create_card),
            resource(f"{board}/cards/{{card}}", patch=patch_card, delete=delete_card),
        ]
    return routes


@rest_call(refusals=(BOARD_NOT_FOUND,))
async def get_board(request: Request) -> BoardJson:
    """Read the state of a board."""
    service, caller = asked_by(request)
    found = await service.boards.current(caller, BoardId(request.path_params["id"]))
    if found is None:
        raise Problem(*BOARD_NOT_FOUND) from board_not_found()
    return _board(found.board.state)


@rest_call(query=(OFFSET,), refusals=(BOARD_NOT_FOUND, NO_SUCH_EVENT, HISTORY_EXPIRED))
async def get_past(request: Request) -> PastBoardJson:
    """Read the state of a board as it was after an event of its log."""
    service, caller = asked_by(request)
    try:
        with refusals():
            past = await service.events.past(caller, BoardId(request.path_params["id"]), _offset(request))
    except PositionLost as lost:
        raise Problem(*(HISTORY_EXPIRED if lost.reason == "history_expired" else NO_SUCH_EVENT)) from lost
    return {
        "offset": past.offset,
        "first": past.first,
        "last": past.last,
        "event": None if past.event is None else {"name": past.event.name, "at": iso(past.event.at)},
        "state": None if past.board is None else orjson.Fragment(state_json(past.board.state)),
    }


def _offset(request: Request) -> int | None:
    text = first_values(request.query_params).get(OFFSET.name)
    if text is not None and not re.fullmatch("[0-9]{1,15}", text):
        message = f"expected the number of an event, got {text!r:.80}"
        raise Problem(400, message, errors=[FieldError(OFFSET.name, message)])
    return None if text is None else int(text)


@rest_call(
    status=201,
    body=(CreateCard,),
    refusals=(BOARD_NOT_FOUND, COLUMN_NOT_FOUND, DEPENDENCY_MISMATCH, DEPENDENCY_CYCLE),
)
async def create_card(request: Request) -> CreatedCardJson:
    """Make a card at the end of a column."""
    command = command_of(CreateCard, await json_object(request))
    executed = await _execute(request, command, column_not_found=COLUMN_NOT_FOUND)
    return {**_board(executed.board.state), "cardId": executed.created_card, "githubIssueError": None}


@rest_call(
    body=(UpdateCard, CardPlace),
    refusals=(
        *(BOARD_NOT_FOUND, CARD_NOT_FOUND, TARGET_NOT_FOUND, OF_ANOTHER_BOARD, NO_UPDATES, HALF_A_MOVE),
        *(DEPENDENCY_MISMATCH, DEPENDENCY_CYCLE, CARD_IS_DONE, CARD_BLOCKED),
    ),
)
async def patch_card(request: Request) -> BoardJson | MovedCardJson:
    """Change a card, move it, or both at once.

    A key that the body does not have keeps its value. A body with `columnId` and `index` moves the card, and is
    answered with the card and its columns. Streams get one `state` for the whole call.
    """
    body = await json_object(request)
    card_id = request.path_params["card"]
    move = body.keys() & {"columnId", "index"}
    if len(move) == 1:
        raise Problem(*HALF_A_MOVE)
    commands: list[Command] = []
    if body.keys() - {"columnId", "index", "cardId"} or not move:
        update = command_of(UpdateCard, {**body, "cardId": card_id})
        if not update.given() and not move:
            raise Problem(*NO_UPDATES)
        commands.append(update)
    if move:
        place = command_of(CardPlace, body)
        wanted = {"cardId": card_id, "toColumnId": place.column_id, "toIndex": place.index}
        commands.append(command_of(MoveCard, wanted))
    executed = await _execute(request, *commands)
    return _moved(executed, CardId(card_id)) if move else _board(executed.board.state)


@rest_call(status=204, refusals=(BOARD_NOT_FOUND, CARD_NOT_FOUND, OF_ANOTHER_BOARD))
async def delete_card(request: Request) -> None:
    """Delete a card. Its attempts go too."""
    await _execute(request, command_of(DeleteCard, {"cardId": request.path_params["card"]}))


async def _execute(request: Request, *commands: Command, **others: Refusal) -> Executed:
    service, caller = asked_by(request)
    board_id, key = BoardId(request.path_params["id"]), key_of(request)
    with refusals(**others):
        async with strangers(service, caller, request.path_params.get("card"), OF_ANOTHER_BOARD):
            return await service.boards.execute(caller, board_id, *commands, key=key)


def _board(state: BoardState) -> BoardJson:
    return {"state": orjson.Fragment(state_json(state))}


def _moved(executed: Executed, card_id: CardId) -> MovedCardJson:
    state = executed.board.state
    card = state.cards[card_id]
    moves = (one.event for one in executed.recorded if isinstance(one.event, CardMoved))
    before = next((move.from_column_id for move in moves), card.column_id)
    wire = card_wire(card)
    ordered = {key: wire[key] for key in _MOVED_KEYS if key in wire}
    touched = [column for column in state.columns.values() if column.id == before]
    touched += [column for column in state.columns.values() if column.id == card.column_id != before]
    return {"card": ordered, "columns": columns_wire(*touched)}
