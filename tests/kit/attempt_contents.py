"""The whole log and conversation of an attempt. Tests store little, so one page is enough."""

from __future__ import annotations

from typing import Any

from realtime.kanban.ids import AttemptId, BoardId
from realtime.ports import LogEntry, Store
from tests.kit.nodes import BOARD

__all__ = ["items_of", "lines_of"]

#: More entries than any test stores.
_LIMIT = 10_000


async def lines_of(store: Store, attempt: str, board: BoardId = BOARD) -> list[LogEntry]:
    """Return the log of an attempt, oldest line first."""
    return [line for _, line in (await store.logs(board, AttemptId(attempt), 0, _LIMIT)).entries]


async def items_of(store: Store, attempt: str, board: BoardId = BOARD) -> list[dict[str, Any]]:
    """Return the conversation of an attempt, oldest item first."""
    return [item for _, item in (await store.conversation(board, AttemptId(attempt), 0, _LIMIT)).entries]
