"""Reports about a board that the sender may not see wait no longer than those about an unknown one."""

from __future__ import annotations

from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import anyio
import pytest

from realtime.errors import InvalidInput
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import BoardId
from realtime.node import Node
from realtime.writing.ingest_plan import Sender
from realtime.writing.write_group import HEAVY_PARTS
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, column_id, incoming
from tests.kit.publishing import event

_LINE = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"}
_WAIT_UNITS = 20


@pytest.mark.parametrize("hidden", [BOARD, BoardId("no-board")])
async def test_report_overtakes_a_heavy_unit_of_the_board(hidden: BoardId, node: Node, board: Board) -> None:
    ended: list[str] = []

    async def ask(name: str, work: Coroutine[Any, Any, object]) -> None:
        with suppress(InvalidInput):
            await work
        ended.append(name)

    first = CreateCard(column_id=column_id(board.state, "Backlog"), title="card")
    heavy = [event("attempt.log.appended", _LINE)] * (HEAVY_PARTS + 1)
    report = incoming(event("git.status.changed", {"projectId": hidden}))
    async with deadline(_WAIT_UNITS), anyio.create_task_group() as group:
        group.start_soon(ask, "first", node.bus.execute(BOARD, first))
        group.start_soon(ask, "heavy", node.bus.ingest(incoming(*heavy)))
        group.start_soon(ask, "hidden", node.bus.ingest(report, Sender("ada", frozenset({hidden}))))
    # Behind the heavy unit, it would tell that somebody writes to the board.
    assert ended == ["first", "hidden", "heavy"]
