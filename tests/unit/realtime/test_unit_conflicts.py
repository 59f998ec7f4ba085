"""A unit that another process forestalls is decided again, on the board as it is then."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnavailable, UnitConflict
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from realtime.node import Node
from realtime.ports import Transaction
from realtime.writing.command_unit import CommandUnit, Executed
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, column_id, create_board, open_node, publish
from tests.kit.publishing import event


@pytest.mark.parametrize("conflicts", [1, 3, 100])
async def test_unit_that_another_process_forestalls_is_decided_again(
    store: SqlStore, node: Node, board: Board, conflicts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact, left = store.transact, conflicts

    async def forestalled(work: Any) -> Any:
        def deciding(transaction: Any) -> Any:
            nonlocal left
            made = work(transaction)
            if left:
                left -= 1
                raise UnitConflict("on purpose")
            return made

        return await transact(deciding)

    monkeypatch.setattr(store, "transact", forestalled)
    async with deadline(20), node.views.watch(BOARD) as view:
        if conflicts < 100:
            done = await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title="card"))
            assert len(done.board.state.cards) == 1
            left = conflicts
            (accepted,) = await publish(node, event("agent.registered", {"agent": "A"}))
            assert not accepted.duplicate
        else:
            with pytest.raises(StoreUnavailable, match="other processes"):
                await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title="card"))
    found = await store.board(BOARD)
    assert found is not None
    assert (len(found.board.state.cards), found.offset) == ((1, 3) if conflicts < 100 else (0, 1))
    assert view.board == found.board


async def test_group_that_is_decided_again_forgets_the_boards_that_it_had_loaded(
    store: SqlStore, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact = store.transact
    line = event("attempt.log.appended", {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"})
    async with deadline(20), open_node(store) as other:
        # This node does not know the board, so the group loads it, behind its own first event.
        board = await create_board(other)
        backlog = column_id(board.state, "Backlog")

        async def forestalled(work: Any) -> Any:
            monkeypatch.undo()

            def deciding(transaction: Any) -> None:
                work(transaction)
                raise UnitConflict("on purpose")

            try:
                await transact(deciding)
            except UnitConflict:
                await publish(other, event("project.updated", {"projectId": BOARD, "changes": {"name": "Theirs"}}))
                raise

        monkeypatch.setattr(store, "transact", forestalled)
        _, done = await asyncio.gather(
            publish(node, line), node.bus.execute(BOARD, CreateCard(column_id=backlog, title="ours"))
        )
    assert done.board.project.name == "Theirs"
    found = await store.board(BOARD)
    assert found is not None
    assert found.board == done.board


async def test_unit_that_always_meets_a_conflict_hurts_no_other_unit_of_its_group(
    store: SqlStore, node: Node, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    backlog = column_id(board.state, "Backlog")
    decide = CommandUnit.carry_out

    def forestalled(self: CommandUnit, transaction: Transaction, *others: Any) -> Any:
        decision = decide(self, transaction, *others)
        if "poison" in str(decision.stored):
            raise UnitConflict("on purpose")
        return decision

    monkeypatch.setattr(CommandUnit, "carry_out", forestalled)
    async with deadline(20):
        done = await asyncio.gather(
            *(
                node.bus.execute(BOARD, CreateCard(column_id=backlog, title=title))
                for title in ("one", "poison", "two")
            ),
            return_exceptions=True,
        )
    assert [type(one) for one in done] == [Executed, StoreUnavailable, Executed]
    found = await store.board(BOARD)
    assert found is not None
    assert [card.title for card in found.board.state.cards.values()] == ["one", "two"]
