"""Attempts: calls that queue, read and stop them.

The server runs no agent. A runner outside takes the queued attempts and [reports](ingest.md#attempts) what it does.
Two boards may use one id of an attempt. Then `/attempts/{attempt}` needs `?boardId=`, and answers 409 without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.routing import BaseRoute

from realtime.errors import AmbiguousAttempt
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.conversation import item_wire
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.ports import Attempt
from server.problem import Problem
from server.routing import resource
from server.transports.bodies import json_object
from server.transports.callers import asked_by
from server.transports.query import BOARD_ID, Parameter, board_of, first_values
from server.transports.rest.answers import (
    AttemptJson,
    LatestAttemptJson,
    LogsJson,
    StoppedAttemptJson,
    attempt_json,
    logs_json,
)
from server.transports.rest.calls import rest_call
from server.transports.rest.inputs import StopPatch, command_of, input_of, key_of
from server.transports.rest.pages import PAGE, next_after, page_of
from server.transports.rest.refusals import (
    ATTEMPT_ACTIVE,
    ATTEMPT_NOT_FOUND,
    ATTEMPT_NOT_RUNNING,
    CARD_BLOCKED,
    CARD_IS_DONE,
    CARD_NOT_FOUND,
    OF_ANOTHER_PROJECT,
    PROJECT_NOT_FOUND,
    refusals,
    strangers,
)

__all__ = ["attempt_routes"]

ATTEMPT_ID = Parameter("attemptId", "An older attempt of the card, in place of the newest one.")


def attempt_routes() -> list[BaseRoute]:
    """Return the routes."""
    routes: list[BaseRoute] = [
        resource("/attempts/{attempt}", get=get_attempt, patch=stop),
        resource("/attempts/{attempt}/logs", get=get_logs),
    ]
    for board in ("/boards/{id}", "/projects/{id}", "/projects/{id}/board"):
        routes += [
            resource(f"{board}/cards/{{card}}/attempt", get=latest),
            resource(f"{board}/cards/{{card}}/attempts", post=queue),
        ]
    return routes


@rest_call(query=(BOARD_ID,), refusals=(ATTEMPT_NOT_FOUND,))
async def get_attempt(request: Request) -> AttemptJson:
    """Read an attempt."""
    return attempt_json(await _attempt(request))


@rest_call(query=(BOARD_ID, *PAGE))
async def get_logs(request: Request) -> LogsJson:
    """Read a page of the log of an attempt, the oldest entry first. An unknown id has an empty list."""
    service, caller = asked_by(request)
    attempt_id, board_id = AttemptId(request.path_params["attempt"]), board_of(request.query_params)
    (after,), limit = page_of(request.query_params, 1)
    with _ambiguities():
        lines = await service.attempts.logs(caller, attempt_id, board_id, after, limit)
    return {"logs": logs_json(lines), **next_after((after, lines))}


@rest_call(query=(ATTEMPT_ID, *PAGE), refusals=(ATTEMPT_NOT_FOUND,))
async def latest(request: Request) -> LatestAttemptJson:
    """Read the newest attempt of a card, or an older one, with its log, its conversation and its todos."""
    service, caller = asked_by(request)
    board_id, card_id = BoardId(request.path_params["id"]), CardId(request.path_params["card"])
    places, limit = page_of(request.query_params, 2)
    found = await service.attempts.of_board(caller, board_id, card_id)
    wanted = first_values(request.query_params).get(ATTEMPT_ID.name)
    attempt = next((one for one in found if wanted in (None, one.id)), None)
    if attempt is None:
        raise Problem(*ATTEMPT_NOT_FOUND)
    lines = await service.attempts.logs(caller, attempt.id, board_id, places[0], limit)
    items = await service.attempts.conversation(caller, attempt, places[1], limit)
    return {
        "attempt": attempt_json(attempt),
        "logs": logs_json(lines),
        "conversation": [item_wire(item) for _, item in items.entries],
        "todos": await service.attempts.todos(caller, attempt),
        **next_after((places[0], lines), (places[1], items)),
    }


@rest_call(
    status=201,
    body=(QueueAttempt,),
    refusals=(PROJECT_NOT_FOUND, CARD_NOT_FOUND, OF_ANOTHER_PROJECT, CARD_IS_DONE, CARD_BLOCKED, ATTEMPT_ACTIVE),
)
async def queue(request: Request) -> AttemptJson:
    """Queue an attempt at a card for a runner.

    The call stores `attempt.queued`. A card that had an attempt keeps the id of that attempt.
    """
    service, caller = asked_by(request)
    board_id, card_id = BoardId(request.path_params["id"]), CardId(request.path_params["card"])
    command, key = command_of(QueueAttempt, {**await json_object(request), "cardId": card_id}), key_of(request)
    with refusals(board_not_found=PROJECT_NOT_FOUND):
        async with strangers(service, caller, card_id, OF_ANOTHER_PROJECT):
            queued = await service.attempts.queue(caller, board_id, command, key)
    return attempt_json(queued.attempt)


@rest_call(body=(StopPatch,), query=(BOARD_ID,), refusals=(ATTEMPT_NOT_FOUND, ATTEMPT_NOT_RUNNING))
async def stop(request: Request) -> StoppedAttemptJson:
    """Stop an attempt.

    A queued attempt stops at once. A running one gets the status `stopping` until its runner reports the end.
    """
    service, caller = asked_by(request)
    attempt = await _attempt(request)
    input_of(StopPatch, await json_object(request))
    key = key_of(request)
    with refusals():
        stopped = attempt_json((await service.attempts.stop(caller, attempt, key)).attempt)
    return {"attempt": stopped, "status": stopped["status"]}


async def _attempt(request: Request) -> Attempt:
    service, caller = asked_by(request)
    with _ambiguities():
        attempt_id = AttemptId(request.path_params["attempt"])
        found = await service.attempts.find(caller, attempt_id, board_of(request.query_params))
    if found is None:
        raise Problem(*ATTEMPT_NOT_FOUND)
    return found


@contextmanager
def _ambiguities() -> Iterator[None]:
    """Answer 409 if several boards have an attempt with the id; `?boardId=` selects one."""
    try:
        yield
    except AmbiguousAttempt as refused:
        raise Problem(409, refused.message, errors=refused.fields) from refused
