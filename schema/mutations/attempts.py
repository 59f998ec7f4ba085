"""Mutations of attempts: queue one for a runner outside, stop one."""

from __future__ import annotations

from typing import Annotated

import strawberry

from realtime import ports
from realtime.errors import NotFound
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.commands import parse_command
from realtime.kanban.ids import AttemptId, BoardId
from schema.execution.context import Info
from schema.refusals import (
    AttemptActive,
    AttemptNotFound,
    AttemptNotRunning,
    BoardNotFound,
    CardBlocked,
    CardIsDone,
    CardNotFound,
    InvalidInput,
    refusable,
)
from schema.types.attempts import Attempt
from schema.types.inputs import QueueAttemptInput, StopAttemptInput

__all__ = ["AttemptMutations", "QueueAttemptPayload", "StopAttemptPayload"]


@strawberry.type
class _AttemptChanged:
    """Fields of both answers; no type of the schema."""

    attempt: ports.Attempt = strawberry.field(graphql_type=Attempt, description="The attempt after the change.")
    cursor: str = strawberry.field(description="The position after the change in the history of the board.")


@strawberry.type(description="The result of `queueAttempt`.")
class QueueAttemptPayload(_AttemptChanged):
    """The result of `queueAttempt`."""


@strawberry.type(
    description="The result of `stopAttempt`; the status is `STOPPED`, or `STOPPING` until the runner has ended."
)
class StopAttemptPayload(_AttemptChanged):
    """The result of `stopAttempt`."""


QueueAttemptResult = Annotated[
    QueueAttemptPayload | BoardNotFound | CardNotFound | CardIsDone | CardBlocked | AttemptActive | InvalidInput,
    strawberry.union("QueueAttemptResult", description="The answer to `queueAttempt`: the attempt, or the refusal."),
]
StopAttemptResult = Annotated[
    StopAttemptPayload | AttemptNotFound | AttemptNotRunning | InvalidInput,
    strawberry.union("StopAttemptResult", description="The answer to `stopAttempt`: the attempt, or the refusal."),
]


@strawberry.type
class AttemptMutations:
    """Mutations of attempts; part of the root."""

    @refusable("Queue an attempt at a card, for an external runner.", QueueAttemptResult)
    async def queue_attempt(
        self,
        info: Info,
        board_id: Annotated[strawberry.ID, strawberry.argument(description="Id of the board.")],
        input: Annotated[QueueAttemptInput, strawberry.argument(description="The card and the agent.")],
    ) -> QueueAttemptPayload:
        """Carry out `QueueAttempt`."""
        command = parse_command(QueueAttempt, input.payload())
        queued = await info.context.service.attempts.queue(info.context.caller, BoardId(board_id), command)
        return QueueAttemptPayload(attempt=queued.attempt, cursor=queued.cursor)

    @refusable("Stop an attempt.", StopAttemptResult)
    async def stop_attempt(
        self,
        info: Info,
        input: Annotated[StopAttemptInput, strawberry.argument(description="The attempt.")],
    ) -> StopAttemptPayload:
        """Carry out `StopAttempt`."""
        attempts, caller = info.context.service.attempts, info.context.caller
        command = parse_command(StopAttempt, input.payload())
        attempt = await attempts.find(caller, AttemptId(command.attempt_id), input.board_id)
        if attempt is None:
            raise _not_found()
        try:
            stopped = await attempts.stop(caller, attempt)
        except NotFound as gone:
            # Its board was deleted between `find` and `stop`, and the attempt with it.
            raise _not_found() from gone
        return StopAttemptPayload(attempt=stopped.attempt, cursor=stopped.cursor)


def _not_found() -> NotFound:
    return NotFound("Attempt not found", "attempt_not_found")
