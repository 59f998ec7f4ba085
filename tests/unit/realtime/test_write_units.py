"""The board at the start of a transaction, and the superseded events of a unit."""

from __future__ import annotations

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.kanban.board import Board, Recorded
from realtime.kanban.commands import CreateCard, UpdateCard, decide
from realtime.kanban.events import parse_event
from realtime.messages.channels import board_channel
from realtime.node import Node
from realtime.ports import StoredBoard, Transaction
from realtime.writing.write_units import MAX_MISSED_EVENTS, checked_board, fold_all, new_events
from tests.kit.nodes import BOARD, START, column_id, publish
from tests.kit.publishing import event


class _Counting:
    """A transaction that counts how often it loads a board."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.loads = 0
        self.offset, self.missed = transaction.offset, transaction.missed

    def board(self, board_id: str) -> StoredBoard | None:
        self.loads += 1
        return self._transaction.board(BOARD)


async def _checked(store: SqlStore, at_hand: StoredBoard | None) -> tuple[StoredBoard | None, int]:
    def work(transaction: Transaction) -> tuple[StoredBoard | None, int]:
        counting = _Counting(transaction)
        found = checked_board(counting, BOARD, at_hand)  # type: ignore[arg-type]  # it reads only
        return found, counting.loads

    return await store.transact(work)


async def _stored(node: Node) -> StoredBoard:
    found = await node.store.board(BOARD)
    assert found is not None
    return found


def _lines(count: int) -> list[dict[str, object]]:
    line = {"attemptId": "a", "boardId": BOARD, "level": "info", "message": "m"}
    return [event("attempt.log.appended", line) for _ in range(count)]


async def test_board_at_the_head_of_its_log_is_used_as_it_is(store: SqlStore, node: Node, board: Board) -> None:
    at_hand = await _stored(node)
    found, loads = await _checked(store, at_hand)
    assert found is at_hand
    assert loads == 0


async def test_board_that_is_behind_is_moved_on_by_what_it_missed(store: SqlStore, node: Node, board: Board) -> None:
    at_hand = await _stored(node)
    await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title="t"))
    await publish(node, *_lines(2))
    found, loads = await _checked(store, at_hand)
    assert found == await _stored(node)
    assert loads == 0


@pytest.mark.parametrize("claimed", [None, 0, 99])
async def test_board_that_cannot_be_moved_on_is_loaded(
    store: SqlStore, node: Node, board: Board, claimed: int | None
) -> None:
    """No board at hand, one that would be built anew, one that is ahead of its log."""
    at_hand = None if claimed is None else StoredBoard((await _stored(node)).board, claimed, 0)
    found, loads = await _checked(store, at_hand)
    assert found == await _stored(node)
    assert loads == 1


async def test_board_that_missed_much_is_loaded(store: SqlStore, node: Node, board: Board) -> None:
    at_hand = await _stored(node)
    await publish(node, *_lines(MAX_MISSED_EVENTS + 1))
    found, loads = await _checked(store, at_hand)
    assert found == await _stored(node)
    assert loads == 1


async def test_board_that_is_not_what_it_was_believed_to_be_is_loaded(
    store: SqlStore, node: Node, board: Board
) -> None:
    at_hand = await _stored(node)
    at_hand.board.state = type(at_hand.board.state)()
    await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title="t"))
    found, loads = await _checked(store, at_hand)
    assert found == await _stored(node)
    assert loads == 1


async def test_last_change_of_a_unit_is_the_state(board: Board) -> None:
    made = CreateCard(column_id=column_id(board.state, "Backlog"), title="t")
    unit = [fold.recorded for fold in fold_all(board, decide(board, made, START))]
    unit += [
        fold.recorded for fold in fold_all(board, decide(board, UpdateCard(card_id=made.card_id, title="u"), START))
    ]
    new = new_events(unit)
    assert [(one.recorded.event.type, one.superseded) for one in new] == [
        ("card.created", False),
        ("board.state.changed", True),
        ("card.updated", False),
        ("board.state.changed", False),
    ]
    assert {one.channel for one in new} == {board_channel(BOARD)}


def test_unit_that_changes_no_board_supersedes_nothing() -> None:
    (agent,) = new_events([Recorded(parse_event("agent.registered", {"agent": "A"}), START)])
    assert (agent.channel, agent.superseded) == ("*", False)
