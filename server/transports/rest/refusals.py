"""Refusals of commands as HTTP answers, with the texts of the original where it had some."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

from realtime.endings import status_of
from realtime.errors import (
    Conflict,
    DependencyCycle,
    DependencyMismatch,
    InvalidInput,
    KeyReused,
    NotFound,
    without_frames,
)
from realtime.kanban.ids import CardId
from realtime.service import Caller, Service
from server.problem import Problem

__all__ = [
    "ATTEMPT_ACTIVE",
    "ATTEMPT_NOT_FOUND",
    "ATTEMPT_NOT_RUNNING",
    "BOARD_NOT_FOUND",
    "CARD_BLOCKED",
    "CARD_IS_DONE",
    "CARD_NOT_FOUND",
    "COLUMN_NOT_FOUND",
    "DEPENDENCY_CYCLE",
    "DEPENDENCY_MISMATCH",
    "HALF_A_MOVE",
    "HISTORY_EXPIRED",
    "NO_SUCH_EVENT",
    "NO_UPDATES",
    "OF_ANOTHER_BOARD",
    "OF_ANOTHER_PROJECT",
    "PROJECT_NOT_FOUND",
    "TARGET_NOT_FOUND",
    "TOKEN_NOT_FOUND",
    "WRONG_TOKEN",
    "Refusal",
    "refusals",
    "strangers",
]


class Refusal(NamedTuple):
    """The status and the `detail` of a refused call."""

    status: int
    detail: str


BOARD_NOT_FOUND = Refusal(404, "Board not found")
PROJECT_NOT_FOUND = Refusal(404, "Project not found")
CARD_NOT_FOUND = Refusal(404, "Card not found")
COLUMN_NOT_FOUND = Refusal(404, "Column not found")
TARGET_NOT_FOUND = Refusal(404, "Target column not found")
ATTEMPT_NOT_FOUND = Refusal(404, "Attempt not found")
NO_SUCH_EVENT = Refusal(404, "The log has no such event")
HISTORY_EXPIRED = Refusal(410, "The log does not reach back so far")
TOKEN_NOT_FOUND = Refusal(404, "Token not found")
WRONG_TOKEN = Refusal(401, "The token is not valid")
CARD_IS_DONE = Refusal(409, "Task is done and locked")
CARD_BLOCKED = Refusal(409, "Task is blocked by dependencies")
ATTEMPT_ACTIVE = Refusal(409, "Task has an active attempt")
ATTEMPT_NOT_RUNNING = Refusal(409, "Attempt is not running")
#: The body has no new value.
NO_UPDATES = Refusal(400, "No updates provided")
HALF_A_MOVE = Refusal(400, "columnId and index are required to move a card")
OF_ANOTHER_BOARD = Refusal(400, "Card does not belong to this board")
OF_ANOTHER_PROJECT = Refusal(400, "Card does not belong to this project")
#: The original answered these two with the code only; the sentence is in `errors`.
DEPENDENCY_CYCLE = Refusal(400, DependencyCycle.code)
DEPENDENCY_MISMATCH = Refusal(400, DependencyMismatch.code)

_BY_CODE = {
    "board_not_found": BOARD_NOT_FOUND,
    "project_not_found": PROJECT_NOT_FOUND,
    "card_not_found": CARD_NOT_FOUND,
    "column_not_found": TARGET_NOT_FOUND,
    "attempt_not_found": ATTEMPT_NOT_FOUND,
    "access_token_not_found": TOKEN_NOT_FOUND,
    "card_is_done": CARD_IS_DONE,
    "card_blocked": CARD_BLOCKED,
    "attempt_active": ATTEMPT_ACTIVE,
    "attempt_not_running": ATTEMPT_NOT_RUNNING,
    DependencyCycle.code: DEPENDENCY_CYCLE,
    DependencyMismatch.code: DEPENDENCY_MISMATCH,
}


@contextmanager
def refusals(**others: Refusal) -> Iterator[None]:
    """Turn refusals inside the block into problems; `others` has other refusals for some codes."""
    try:
        yield
    except (InvalidInput, KeyReused) as refused:
        known = _BY_CODE.get(refused.code, Refusal(status_of(refused), refused.message))
        raise Problem(*known, errors=refused.fields) from without_frames(refused)
    except (NotFound, Conflict) as refused:
        known = {**_BY_CODE, **others}.get(refused.code, Refusal(status_of(refused), refused.message))
        raise Problem(*known) from without_frames(refused)


@asynccontextmanager
async def strangers(service: Service, caller: Caller, card_id: str | None, refusal: Refusal) -> AsyncIterator[None]:
    """Raise `refusal` if the block does not find the card because it belongs to another board, as the original did.

    The other board is checked after the command, which must not depend on an earlier read.
    """
    try:
        yield
    except NotFound as refused:
        if refused.code != "card_not_found" or card_id is None:
            raise
        if await service.boards.boards_of_card(caller, CardId(card_id)):
            raise Problem(*refusal) from without_frames(refused)
        raise
