"""Refusals of commands as HTTP answers, with the texts of the original where it had some."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from realtime.endings import status_of
from realtime.errors import Conflict, DependencyCycle, DependencyMismatch, InvalidInput, NotFound
from realtime.kanban.ids import CardId
from realtime.service import Caller, Service
from server.problem import Problem

__all__ = ["refusals", "strangers"]

_DETAILS = {
    "board_not_found": "Board not found",
    "project_not_found": "Project not found",
    "card_not_found": "Card not found",
    "column_not_found": "Target column not found",
    "attempt_not_found": "Attempt not found",
    "card_is_done": "Task is done and locked",
    "card_blocked": "Task is blocked by dependencies",
    "attempt_active": "Task has an active attempt",
    "attempt_not_running": "Attempt is not running",
}


@contextmanager
def refusals(**details: str) -> Iterator[None]:
    """Turn refusals inside the block into problems; `details` maps codes to other texts."""
    try:
        yield
    except InvalidInput as refused:
        # The original answered these with the code only; the sentence is in `errors`.
        bare = isinstance(refused, DependencyCycle | DependencyMismatch)
        detail = refused.code if bare else refused.message
        raise Problem(status_of(refused), detail, errors=refused.fields) from refused
    except (NotFound, Conflict) as refused:
        raise Problem(status_of(refused), {**_DETAILS, **details}.get(refused.code, refused.message)) from refused


@asynccontextmanager
async def strangers(service: Service, caller: Caller, card_id: str | None, detail: str) -> AsyncIterator[None]:
    """Answer 400 if the block does not find the card because it belongs to another board, as the original did.

    The other board is checked after the command, which must not depend on an earlier read.
    """
    try:
        yield
    except NotFound as refused:
        if refused.code != "card_not_found" or card_id is None:
            raise
        if await service.boards.boards_of_card(caller, CardId(card_id)):
            raise Problem(400, detail) from refused
        raise
