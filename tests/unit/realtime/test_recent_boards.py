"""Boards of the last units: few of them, never changed by a reader; a unit on one of them loads nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.errors import InvalidInput, NotFound
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard, UpdateCard
from realtime.kanban.ids import AttemptId, BoardId, CardId
from realtime.kanban.models import IN_PROGRESS
from realtime.node import Node
from realtime.ports import StoredBoard
from realtime.writing.recent_boards import MAX_PARTS, RecentBoards
from tests.kit.nodes import BOARD, column_id, create_board, publish
from tests.kit.publishing import event
from tests.kit.statements import counted


def _cards_are_read(statement: str) -> bool:
    return "FROM cards" in statement


async def test_units_on_a_board_that_nobody_watches_load_it_once(store: SqlStore, node: Node, board: Board) -> None:
    other = await create_board(node, "p2")
    started = {"attemptId": "a", "boardId": BOARD, "cardId": "none", "agent": "X"}
    with counted() as statements:
        for n in range(3):
            await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, IN_PROGRESS), title=f"{n}"))
            await node.bus.execute(other.id, CreateCard(column_id=column_id(other.state, IN_PROGRESS), title=f"{n}"))
            await publish(node, event("attempt.started", started))
        with pytest.raises(NotFound):
            await node.bus.execute(BOARD, UpdateCard(card_id=CardId("none"), title="x"))
    assert len(list(filter(_cards_are_read, statements))) <= 2
    for board_id in (BOARD, other.id):
        executed = await node.bus.execute(board_id)
        found = await store.board(board_id)
        assert found is not None
        assert (found.board, found.offset) == (executed.board, executed.position.offset)
        assert len(found.board.state.cards) == 3


async def test_position_of_a_recent_board_has_the_global_events_since(
    store: SqlStore, node: Node, board: Board
) -> None:
    await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, IN_PROGRESS), title="x"))
    await publish(node, event("agent.registered", {"agent": "A"}))
    executed = await node.bus.execute(BOARD)
    found = await store.board(BOARD)
    assert found is not None
    assert executed.position.global_offset == found.global_offset > 0


async def test_board_that_was_deleted_is_not_found_again(node: Node, board: Board) -> None:
    await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, IN_PROGRESS), title="x"))
    await publish(node, event("project.deleted", {"projectId": BOARD}))
    with pytest.raises(NotFound):
        await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, IN_PROGRESS), title="x"))


async def test_board_that_was_deleted_in_a_batch_with_others_of_its_events_is_not_found_again(
    node: Node, board: Board
) -> None:
    column = column_id(board.state, IN_PROGRESS)
    started = event("attempt.started", {"attemptId": "a", "boardId": BOARD, "cardId": "none", "agent": "X"})
    await publish(node, started, event("project.deleted", {"projectId": BOARD}))
    with pytest.raises(NotFound):
        await node.bus.execute(BOARD, CreateCard(column_id=column, title="x"))
    with pytest.raises(InvalidInput):
        await publish(node, started)


async def test_advancing_a_recent_board_changes_no_other(board: Board) -> None:
    recent = RecentBoards()
    recent.put(StoredBoard(board, 1, 0))
    first = recent.get(BOARD)
    assert first is not None
    first.board.gone[AttemptId("a")] = None
    board.gone[AttemptId("b")] = None
    second = recent.get(BOARD)
    assert second is not None
    assert second.board.gone == {}


async def test_oldest_of_too_many_is_forgotten(board: Board) -> None:
    def named(name: str, parts: int) -> StoredBoard:
        made = replace(board, project=replace(board.project, id=BoardId(name)))
        made.gone = {AttemptId(f"{n}"): None for n in range(parts)}
        return StoredBoard(made, 1, 0)

    recent = RecentBoards()
    for name in ("b0", "b1", "b2"):
        recent.put(named(name, MAX_PARTS // 3))
    assert [recent.get(BoardId(name)) is not None for name in ("b0", "b1", "b2")] == [False, True, True]
    recent.put(named("b2", MAX_PARTS))
    assert recent.get(BoardId("b2")) is None
