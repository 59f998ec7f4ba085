"""Attempts by their ids, with or without their board, and what was done to them: one answer for REST and GraphQL.

Every function raises `StoreUnavailable` when the store does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

from realtime.errors import AmbiguousAttempt
from realtime.kanban.attempts import QueueAttempt, StopAttempt
from realtime.kanban.events import AttemptQueued
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import AttemptStatus
from realtime.node import Node
from realtime.ports import Attempt

__all__ = ["AttemptChange", "find_attempt", "find_board_of_log", "queue_attempt", "stop_attempt"]


@dataclass(frozen=True, slots=True)
class AttemptChange:
    """The row of an attempt after a change, and the position behind the change."""

    attempt: Attempt
    cursor: str


async def find_attempt(node: Node, attempt_id: AttemptId, board_id: str | None = None) -> Attempt | None:
    """Return an attempt, None when it is not known.

    Raises:
        AmbiguousAttempt: several boards have an attempt of that id, and `board_id` names none.
    """
    if board_id is None:
        boards = await node.store.boards_of_attempt(attempt_id)
        home = _only([one for one, is_known in boards.items() if is_known])
    else:
        home = BoardId(board_id)
    return None if home is None else await node.store.attempt(home, attempt_id)


async def find_board_of_log(node: Node, attempt_id: AttemptId) -> BoardId | None:
    """Return the board that has a log under an attempt's id, known or not; None when there is none.

    Raises:
        AmbiguousAttempt: several boards have.
    """
    return _only(list(await node.store.boards_of_attempt(attempt_id)))


async def queue_attempt(node: Node, board_id: BoardId, command: QueueAttempt) -> AttemptChange:
    """Queue an attempt; return its row, as it was queued where its card was deleted again before anybody looked.

    Raises:
        NotFound, Conflict: see `kanban.attempts.queue_attempt`.
    """
    executed = await node.bus.execute(board_id, command)
    recorded, at, _ = executed.recorded[0]
    queued = cast("AttemptQueued", recorded)  # the one event that the command makes
    attempt_id = AttemptId(queued.attempt_id)
    found = await node.store.attempt(board_id, attempt_id)
    if found is None:
        places = (attempt_id, board_id, CardId(queued.card_id), queued.agent, AttemptStatus.QUEUED)
        created_at = executed.board.attempts[attempt_id].created_at
        found = Attempt(*places, created_at, at, queued.base_branch, queued.branch_name)
    return AttemptChange(found, executed.position.cursor)


async def stop_attempt(node: Node, attempt: Attempt) -> AttemptChange:
    """Stop an attempt; return its row as it was then.

    Raises:
        NotFound, Conflict: see `kanban.attempts.stop_attempt`; `board_not_found`, its board is gone.
    """
    executed = await node.bus.execute(attempt.board_id, StopAttempt(attempt_id=attempt.id))
    now = executed.board.attempts[attempt.id]
    stopped = replace(
        attempt, status=now.status, updated_at=now.updated_at or attempt.updated_at, ended_at=now.ended_at
    )
    return AttemptChange(stopped, executed.position.cursor)


def _only(boards: list[BoardId]) -> BoardId | None:
    if len(boards) > 1:
        raise AmbiguousAttempt(len(boards))
    return boards[0] if boards else None
