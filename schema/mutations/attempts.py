"""Mutations of attempts: queue one for a runner outside, stop one."""

from __future__ import annotations

from typing import Annotated

import strawberry

from realtime import errors, ports
from realtime.errors import NotFound
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.commands import parse_command
from realtime.kanban.ids import AttemptId
from schema.execution.context import Info
from schema.nodes import attempt_key
from schema.refusals import (
    AttemptActive,
    AttemptNotFound,
    AttemptNotRunning,
    BoardNotFound,
    CardBlocked,
    CardIsDone,
    CardNotFound,
    IdempotencyKeyReused,
    InvalidInput,
    refusable,
)
from schema.types.attempts import Attempt
from schema.types.inputs import QueueAttemptInput, StopAttemptInput, key_of, shown_refusal
from schema.types.node import BoardArgument, board_of
from schema.types.positions import offset_field

__all__ = ["AttemptMutations", "QueueAttemptPayload", "StopAttemptPayload"]


@strawberry.type
class _AttemptChanged:
    """Fields of both answers; no type of the schema."""

    attempt: ports.Attempt = strawberry.field(graphql_type=Attempt, description="The attempt after the change.")
    cursor: str = strawberry.field(description="The position after the change in the history of the board.")
    offset = offset_field("The offset of the position after the change.")


@strawberry.type(description="The result of `queueAttempt`.")
class QueueAttemptPayload(_AttemptChanged):
    """The result of `queueAttempt`."""


@strawberry.type(
    description="The result of `stopAttempt`; the status is `STOPPED`, or `STOPPING` until the runner has ended."
)
class StopAttemptPayload(_AttemptChanged):
    """The result of `stopAttempt`."""


QueueAttemptResult = Annotated[
    QueueAttemptPayload
    | BoardNotFound
    | CardNotFound
    | CardIsDone
    | CardBlocked
    | AttemptActive
    | InvalidInput
    | IdempotencyKeyReused,
    strawberry.union("QueueAttemptResult", description="The answer to `queueAttempt`: the attempt, or the refusal."),
]
StopAttemptResult = Annotated[
    StopAttemptPayload | BoardNotFound | AttemptNotFound | AttemptNotRunning | InvalidInput | IdempotencyKeyReused,
    strawberry.union("StopAttemptResult", description="The answer to `stopAttempt`: the attempt, or the refusal."),
]


@strawberry.type
class AttemptMutations:
    """Mutations of attempts; part of the root."""

    @refusable("Queue an attempt at a card, for an external runner.", QueueAttemptResult)
    async def queue_attempt(
        self,
        info: Info,
        board_id: BoardArgument,
        input: Annotated[QueueAttemptInput, strawberry.argument(description="The card and the agent.")],
    ) -> QueueAttemptPayload:
        """Carry out `QueueAttempt`."""
        board = board_of(board_id)
        try:
            command = parse_command(QueueAttempt, input.payload(board))
        except errors.InvalidInput as refused:
            raise shown_refusal(refused) from refused
        attempts, caller = info.context.service.attempts, info.context.caller
        queued = await attempts.queue(caller, board, command, key_of(input.idempotency_key))
        return QueueAttemptPayload(attempt=queued.attempt, cursor=queued.cursor)

    @refusable("Stop an attempt.", StopAttemptResult)
    async def stop_attempt(
        self,
        info: Info,
        input: Annotated[StopAttemptInput, strawberry.argument(description="The attempt.")],
    ) -> StopAttemptPayload:
        """Carry out `StopAttempt`."""
        attempts, caller = info.context.service.attempts, info.context.caller
        attempt_id, board = await attempt_key(info.context, input.attempt_id, input.board_id)
        command, key = parse_command(StopAttempt, {"attemptId": attempt_id}), key_of(input.idempotency_key)
        attempt = await attempts.find(caller, AttemptId(command.attempt_id), board)
        if attempt is None:
            raise await _unknown(info, input.board_id)
        try:
            stopped = await attempts.stop(caller, attempt, key)
        except NotFound as gone:
            # Its board was deleted between `find` and `stop`, and the attempt with it.
            raise _not_found() from gone
        return StopAttemptPayload(attempt=stopped.attempt, cursor=stopped.cursor)


def _not_found() -> NotFound:
    return NotFound("Attempt not found", "attempt_not_found")


async def _unknown(info: Info, board_id: str | None) -> NotFound:
    """Return the refusal of an unknown attempt: its board is unknown, or it is."""
    projects, caller = info.context.service.projects, info.context.caller
    if board_id is None or await projects.find(caller, board_of(board_id)) is not None:
        return _not_found()
    return NotFound("Board not found", "board_not_found")
