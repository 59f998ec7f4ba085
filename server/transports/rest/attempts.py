"""Attempts: queue, read, stop."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from realtime.clock import iso
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.node import Node
from realtime.ports import Attempt, LogEntry
from server.problem import Problem
from server.transports.bodies import answer, json_object
from server.transports.rest.dispatch import resource
from server.transports.rest.inputs import StopPatch, command_of, input_of
from server.transports.rest.refusals import refusals

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
    """The log that is kept under an attempt's id, oldest first, whether the attempt is known or not."""
    node: Node = request.app.state.node
    lines = await node.store.logs(AttemptId(request.path_params["attempt"]))
    return answer({"logs": [_log_wire(line) for line in lines]})


async def latest(request: Request) -> Response:
    """The newest attempt of a card with its log, conversation and todos."""
    node: Node = request.app.state.node
    board_id, card_id = BoardId(request.path_params["id"]), CardId(request.path_params["card"])
    found = await node.store.attempts(board_id, card_id)
    if not found:
        raise Problem(404, "Attempt not found")
    attempt = found[0]
    return answer(
        {
            "attempt": attempt_wire(attempt),
            "logs": [_log_wire(line) for line in await node.store.logs(attempt.id)],
            "conversation": await node.store.conversation(attempt.id),
            "todos": await node.store.todos(attempt.id),
        }
    )


async def queue(request: Request) -> Response:
    """Queue an attempt for a runner outside."""
    node: Node = request.app.state.node
    board_id, card_id = BoardId(request.path_params["id"]), CardId(request.path_params["card"])
    command = command_of(QueueAttempt, {**await json_object(request), "cardId": card_id})
    homes = await node.store.homes_of(card_id)
    if homes and board_id not in homes and await node.store.project(board_id):
        raise Problem(400, "Card does not belong to this project")
    with refusals(board_not_found="Project not found"):
        executed = await node.bus.execute(board_id, command)
    queued = next(attempt for attempt in executed.board.newest_attempts() if attempt.card_id == card_id)
    request.path_params["attempt"] = queued.id
    return answer(attempt_wire(await _attempt(request)), 201)


async def stop(request: Request) -> Response:
    """Stop an attempt."""
    node: Node = request.app.state.node
    attempt = await _attempt(request)
    input_of(StopPatch, await json_object(request))
    with refusals():
        await node.bus.execute(attempt.board_id, StopAttempt(attempt_id=attempt.id))
    stopped = attempt_wire(await _attempt(request))
    return answer({"attempt": stopped, "status": stopped["status"]})


def attempt_wire(attempt: Attempt) -> dict[str, Any]:
    """Return an attempt as the REST calls show it."""
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


def _log_wire(line: LogEntry) -> dict[str, Any]:
    return {
        "id": line.id,
        "attemptId": line.attempt_id,
        "ts": iso(line.ts),
        "level": line.level,
        "message": line.message,
    }


async def _attempt(request: Request) -> Attempt:
    node: Node = request.app.state.node
    found = await node.store.attempt(AttemptId(request.path_params["attempt"]))
    if found is None:
        raise Problem(404, "Attempt not found")
    return found
