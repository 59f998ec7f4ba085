"""Refusals of commands as HTTP answers, in the original's words where it had some."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from realtime.errors import Conflict, DependencyCycle, DependencyMismatch, InvalidInput, NotFound, Refused
from server.problem import Problem

__all__ = ["refusals"]

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
    """Turn refusals inside the block into problems; `details` replace the sentence of a code."""
    try:
        yield
    except InvalidInput as refused:
        # The original answered these with the bare word; the sentence is among the errors.
        bare = isinstance(refused, DependencyCycle | DependencyMismatch)
        detail = refused.code if bare else refused.message
        raise Problem(400, detail, errors=refused.fields) from refused
    except (NotFound, Conflict) as refused:
        raise Problem(_status(refused), {**_DETAILS, **details}.get(refused.code, refused.message)) from refused


def _status(refused: Refused) -> int:
    return 404 if isinstance(refused, NotFound) else 409
