"""Boards and their cards, at `/boards/:id` and at `/projects/:id/board`."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.events import CardMoved
from realtime.kanban.ids import BoardId, CardId
from realtime.kanban.models import BoardState
from realtime.kanban.wire.board_wire import card_wire, columns_wire, state_json
from realtime.service import Executed
from server.problem import Problem
from server.routing import resource
from server.transports.bodies import answer, json_object
from server.transports.callers import asked_by
from server.transports.rest.inputs import command_of
from server.transports.rest.refusals import refusals, strangers

__all__ = ["board_routes"]

#: Both forms of a board's address.
BOARDS = ("/boards/{id}", "/projects/{id}/board")
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
            resource(f"{board}/cards", post=create_card),
            resource(f"{board}/cards/{{card}}", patch=patch_card, delete=delete_card),
        ]
    return routes


async def get_board(request: Request) -> Response:
    """The state of a board."""
    service, caller = asked_by(request)
    found = await service.boards.current(caller, BoardId(request.path_params["id"]))
    if found is None:
        raise Problem(404, "Board not found")
    return answer(_state(found.board.state))


async def create_card(request: Request) -> Response:
    """Make a card at the end of a column."""
    command = command_of(CreateCard, await json_object(request))
    executed = await _execute(request, command, column_not_found="Column not found")
    card = orjson.dumps(command.card_id)
    # The original's client expects `githubIssueError`; this server makes no issues.
    return answer(_state(executed.board.state)[:-1] + b',"cardId":' + card + b',"githubIssueError":null}', 201)


async def patch_card(request: Request) -> Response:
    """Change a card's fields, or move it (`columnId` and `index`), or both at once."""
    body = await json_object(request)
    card_id = request.path_params["card"]
    move = body.keys() & {"columnId", "index"}
    if len(move) == 1:
        raise Problem(400, "columnId and index are required to move a card")
    commands: list[Command] = []
    if body.keys() - {"columnId", "index", "cardId"} or not move:
        update = command_of(UpdateCard, {**body, "cardId": card_id})
        if not update.given() and not move:
            raise Problem(400, "No updates provided")
        commands.append(update)
    if move:
        place = {"cardId": card_id, "toColumnId": body["columnId"], "toIndex": body["index"]}
        commands.append(command_of(MoveCard, place, toColumnId="columnId", toIndex="index"))
    executed = await _execute(request, *commands)
    return answer(_moved(executed, CardId(card_id)) if move else _state(executed.board.state))


async def delete_card(request: Request) -> Response:
    """Delete a card."""
    await _execute(request, DeleteCard(card_id=request.path_params["card"]))
    return Response(status_code=204)


async def _execute(request: Request, *commands: Command, **details: str) -> Executed:
    service, caller = asked_by(request)
    with refusals(**details):
        async with strangers(service, caller, request.path_params.get("card"), "Card does not belong to this board"):
            return await service.boards.execute(caller, BoardId(request.path_params["id"]), *commands)


def _state(state: BoardState) -> bytes:
    return b'{"state":' + state_json(state) + b"}"


def _moved(executed: Executed, card_id: CardId) -> dict[str, Any]:
    state = executed.board.state
    card = state.cards[card_id]
    moves = (one.event for one in executed.recorded if isinstance(one.event, CardMoved))
    before = next((move.from_column_id for move in moves), card.column_id)
    wire = card_wire(card)
    ordered = {key: wire[key] for key in _MOVED_KEYS if key in wire}
    touched = [column for column in state.columns.values() if column.id == before]
    touched += [column for column in state.columns.values() if column.id == card.column_id != before]
    return {"card": ordered, "columns": columns_wire(*touched)}
