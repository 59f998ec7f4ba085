"""Finding an attempt by its id, with or without its board: one answer for REST and GraphQL.

Every function raises `StoreUnavailable` when the store does not answer.
"""

from __future__ import annotations

from realtime.errors import AmbiguousAttempt
from realtime.kanban.ids import AttemptId, BoardId
from realtime.node import Node
from realtime.ports import Attempt

__all__ = ["find_attempt", "find_board_of_log"]


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


def _only(boards: list[BoardId]) -> BoardId | None:
    if len(boards) > 1:
        raise AmbiguousAttempt(len(boards))
    return boards[0] if boards else None
