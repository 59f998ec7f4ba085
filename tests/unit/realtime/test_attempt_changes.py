"""Attempts by id, and the results of a change of one, whatever happens to it in parallel."""

from __future__ import annotations

import asyncio

import pytest

from realtime.errors import AmbiguousAttempt
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard, DeleteCard
from realtime.kanban.ids import AttemptId, BoardId
from realtime.kanban.models import AttemptStatus
from realtime.node import Node
from realtime.ports import Page
from realtime.service import Service
from tests.kit.nodes import BOARD, TESTER, column_id, create_board, publish
from tests.kit.publishing import event

OTHER = BoardId("p2")
CARD = "k1"


async def _queue(node: Node, board: Board) -> QueueAttempt:
    """Make a card; return the command that queues an attempt on it."""
    await node.bus.execute(board.id, CreateCard(column_id=column_id(board.state, "Backlog"), title="t", id=CARD))
    return QueueAttempt(card_id=CARD, agent="A", branch_name="b")


async def test_change_gives_the_row_as_it_is_stored(service: Service, node: Node, board: Board) -> None:
    queued = await service.attempts.queue(TESTER, BOARD, await _queue(node, board))
    assert queued.attempt == await node.store.attempt(BOARD, queued.attempt.id)
    stopped = await service.attempts.stop(TESTER, queued.attempt)
    assert stopped.attempt == await node.store.attempt(BOARD, queued.attempt.id)
    assert stopped.attempt.status is AttemptStatus.STOPPED


async def test_queued_attempt_is_given_though_its_card_goes_at_once(service: Service, node: Node, board: Board) -> None:
    command = await _queue(node, board)
    queueing = asyncio.create_task(service.attempts.queue(TESTER, BOARD, command))
    deleting = asyncio.create_task(node.bus.execute(BOARD, DeleteCard(card_id=CARD)))
    queued, _ = await queueing, await deleting
    attempt = queued.attempt
    assert (attempt.card_id, attempt.agent, attempt.status) == (CARD, "A", AttemptStatus.QUEUED)
    assert (attempt.branch_name, attempt.base_branch, attempt.created_at) == ("b", "main", attempt.updated_at)
    assert await node.store.attempts(BOARD) == []


async def test_id_alone_is_enough_as_long_as_one_board_has_it(service: Service, node: Node, board: Board) -> None:
    await create_board(node, OTHER)
    of = {"attemptId": "a", "cardId": "k", "agent": "A"}
    line = {"attemptId": "a", "level": "info", "message": "m"}
    await publish(node, event("attempt.queued", {**of, "boardId": BOARD}))
    await publish(node, event("attempt.log.appended", {**line, "boardId": OTHER}))
    found = await service.attempts.find(TESTER, AttemptId("a"))
    assert found is not None
    assert found.board_id == BOARD
    assert await service.attempts.find(TESTER, AttemptId("a"), OTHER) is None
    assert await service.attempts.find(TESTER, AttemptId("b")) is None
    assert await service.attempts.logs(TESTER, AttemptId("b"), None, 0, 10) == Page((), more=False)
    with pytest.raises(AmbiguousAttempt, match="2 boards"):
        await service.attempts.logs(TESTER, AttemptId("a"), None, 0, 10)
    await publish(node, event("attempt.queued", {**of, "boardId": OTHER}))
    with pytest.raises(AmbiguousAttempt, match="boardId: expected the id of its board"):
        await service.attempts.find(TESTER, AttemptId("a"))
