"""Attempts: queue, read, stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.clock import iso
from realtime.errors import AmbiguousAttempt
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.conversation import item_wire
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.ports import Attempt, LogEntry, Page
from server.problem import Problem
from server.routing import resource
from server.transports.bodies import answer, json_object
from server.transports.callers import asked_by
from server.transports.query import board_of
from server.transports.rest.inputs import StopPatch, command_of, input_of
from server.transports.rest.pages import next_after, page_of
from server.transports.rest.refusals import refusals, strangers

__all__ = ["attempt_routes", "attempt_wire"]


def attempt_routes() -> list[BaseRoute]:
    """Return the routes."""
    routes: list[BaseRoute] = [
        resource("/attempts/{attempt}", get=get_attempt, patch=stop),
        resource("/attempts/{attempt}/logs", get=get_logs),
    ]
    for board in ("/projects/{id}", "/projects/{id}/board", "/boards/{id}"):
        routes += [
            resource(f"{board}/cards/{{card}}/attempt", get=latest),
            resource(f"{board}/cards/{{card}}/attempts", post=queue),
        ]
    return routes


async def get_attempt(request: Request) -> Response:
    """One attempt."""
    return answer(attempt_wire(await _attempt(request)))


async def get_logs(request: Request) -> Response:
    """A page of the log under an attempt's id, oldest first; the attempt itself may be unknown."""
    service, caller = asked_by(request)
    attempt_id, board_id = AttemptId(request.path_params["attempt"]), board_of(request.query_params)
    (after,), limit = page_of(request.query_params, 1)
    with _ambiguities():
        lines = await service.attempts.logs(caller, attempt_id, board_id, after, limit)
    return answer({"logs": _logs_wire(lines), **next_after((after, lines))})


async def latest(request: Request) -> Response:
    """The newest attempt of a card with a page of its log, one of its conversation, and its todos."""
    service, caller = asked_by(request)
    board_id, card_id = BoardId(request.path_params["id"]), CardId(request.path_params["card"])
    places, limit = page_of(request.query_params, 2)
    found = await service.attempts.of_board(caller, board_id, card_id)
    if not found:
        raise Problem(404, "Attempt not found")
    attempt = found[0]
    lines = await service.attempts.logs(caller, attempt.id, board_id, places[0], limit)
    items = await service.attempts.conversation(caller, attempt, places[1], limit)
    return answer(
        {
            "attempt": attempt_wire(attempt),
            "logs": _logs_wire(lines),
            "conversation": [item_wire(item) for _, item in items.entries],
            "todos": await service.attempts.todos(caller, attempt),
            **next_after((places[0], lines), (places[1], items)),
        }
    )


async def queue(request: Request) -> Response:
    """Queue an attempt for an external runner."""
    service, caller = asked_by(request)
    board_id, card_id = BoardId(request.path_params["id"]), CardId(request.path_params["card"])
    command = command_of(QueueAttempt, {**await json_object(request), "cardId": card_id})
    with refusals(board_not_found="Project not found"):
        async with strangers(service, caller, card_id, "Card does not belong to this project"):
            queued = await service.attempts.queue(caller, board_id, command)
    return answer(attempt_wire(queued.attempt), 201)


async def stop(request: Request) -> Response:
    """Stop an attempt."""
    service, caller = asked_by(request)
    attempt = await _attempt(request)
    input_of(StopPatch, await json_object(request))
    with refusals():
        stopped = attempt_wire((await service.attempts.stop(caller, attempt)).attempt)
    return answer({"attempt": stopped, "status": stopped["status"]})


def attempt_wire(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt in the form of REST."""
    return {
        "id": attempt.id,
        "boardId": attempt.board_id,
        "cardId": attempt.card_id,
        "agent": attempt.agent,
        "status": attempt.status,
        "baseBranch": attempt.base_branch,
        "branchName": attempt.branch_name,
        "worktreePath": attempt.worktree_path,
        "sessionId": attempt.session_id,
        "createdAt": iso(attempt.created_at),
        "updatedAt": iso(attempt.updated_at),
        "startedAt": iso(attempt.started_at) if attempt.started_at else None,
        "endedAt": iso(attempt.ended_at) if attempt.ended_at else None,
    }


def _logs_wire(page: Page[LogEntry]) -> list[dict[str, Any]]:
    return [_log_wire(line) for _, line in page.entries]


def _log_wire(line: LogEntry) -> dict[str, Any]:
    return {
        "id": line.id,
        "attemptId": line.attempt_id,
        "ts": iso(line.ts),
        "level": line.level,
        "message": line.message,
    }


async def _attempt(request: Request) -> Attempt:
    service, caller = asked_by(request)
    with _ambiguities():
        attempt_id = AttemptId(request.path_params["attempt"])
        found = await service.attempts.find(caller, attempt_id, board_of(request.query_params))
    if found is None:
        raise Problem(404, "Attempt not found")
    return found


@contextmanager
def _ambiguities() -> Iterator[None]:
    """Answer 409 if several boards have an attempt with the id; `?boardId=` selects one."""
    try:
        yield
    except AmbiguousAttempt as refused:
        raise Problem(409, refused.message, errors=refused.fields) from refused
