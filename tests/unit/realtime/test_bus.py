"""The bus: one order, all or nothing, and a caller that leaves does not cut its command."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from realtime.backends.sql.store import SqlStore
from realtime.errors import Conflict, InvalidInput, NotFound, StoreUnavailable
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard, UpdateCard
from realtime.kanban.ids import BoardId, CardId
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.messages.position import parse_cursor
from realtime.node import Node
from realtime.ports import StoredEvent
from tests.kit.attempt_contents import lines_of
from tests.kit.deadline import deadline
from tests.kit.nodes import (
    BOARD,
    GatedBroker,
    SteppingClock,
    column_id,
    create_board,
    incoming,
    open_node,
    open_store,
    publish,
)
from tests.kit.publishing import event

LINE = {"attemptId": "a1", "boardId": "p1", "level": "info", "message": "m"}


def _create(board: Board, title: str = "card", column: str = "Backlog") -> CreateCard:
    return CreateCard(column_id=column_id(board.state, column), title=title)


async def _board(node: Node, board_id: BoardId = BOARD) -> Board:
    stored = await node.store.board(board_id)
    assert stored is not None
    return stored.board


async def test_command_answers_with_the_board_after_it_and_its_position(node: Node, board: Board) -> None:
    done = await node.bus.execute(BOARD, _create(board))
    stored = await node.store.board(BOARD)
    assert stored is not None
    assert done.board == stored.board
    assert [one.event.type for one in done.recorded] == ["card.created", "board.state.changed"]
    assert (done.position.offset, done.position.global_offset, done.position.part) == (stored.offset, 0, 0)
    assert done.position.epoch == node.store.epoch


async def test_command_that_changes_nothing_records_nothing(node: Node, board: Board) -> None:
    made = await node.bus.execute(BOARD, _create(board))
    (card,) = made.board.state.cards.values()
    done = await node.bus.execute(BOARD, UpdateCard(card_id=card.id, title=card.title))
    assert done.recorded == ()
    assert done.position == made.position
    assert await _board(node) == made.board


async def test_commands_of_one_call_are_all_or_nothing(node: Node, board: Board) -> None:
    made = _create(board)
    with pytest.raises(NotFound) as refused:
        await node.bus.execute(BOARD, made, DeleteCard(card_id="unknown"))
    assert refused.value.code == "card_not_found"
    assert await _board(node) == board
    assert await node.store.offset(board_channel(BOARD)) == 1
    done = await node.bus.execute(
        BOARD, made, MoveCard(card_id=made.card_id, to_column_id=column_id(board.state, "Review"), to_index=0)
    )
    assert done.board.state.cards[CardId(made.card_id)].ticket_key == "AB-1"
    assert len(done.recorded) == 4


async def test_watched_board_is_untouched_by_a_refused_command(node: Node, board: Board) -> None:
    async with deadline(5), node.views.watch(BOARD) as view:
        before = view.board.copy()
        with pytest.raises(NotFound):
            await node.bus.execute(BOARD, _create(board), DeleteCard(card_id="unknown"))
        assert view.board == before
        done = await node.bus.execute(BOARD, _create(board))
        assert view.board == done.board
        assert view.position == done.position


async def test_command_on_an_unknown_board_is_not_found(node: Node) -> None:
    with pytest.raises(NotFound) as refused:
        await node.bus.execute(BOARD, DeleteCard(card_id="k"))
    assert refused.value.code == "board_not_found"


@pytest.mark.parametrize("watched", [False, True])
async def test_concurrent_commands_give_gapless_ticket_keys(node: Node, board: Board, watched: bool) -> None:
    async with deadline(20), anyio.create_task_group() as group:
        if watched:
            group.start_soon(_watch_until_cancelled, node)
            await anyio.wait_all_tasks_blocked()
        async with anyio.create_task_group() as commands:
            for n in range(20):
                commands.start_soon(node.bus.execute, BOARD, _create(board, f"card {n}"))
        group.cancel_scope.cancel()
    cards = (await _board(node)).state.cards.values()
    assert [card.ticket_key for card in cards] == [f"AB-{n}" for n in range(1, 21)]
    assert await node.store.offset(board_channel(BOARD)) == 1 + 2 * 20


async def _watch_until_cancelled(node: Node) -> None:
    async with node.views.watch(BOARD):
        await anyio.sleep_forever()


async def test_batches_reach_the_broker_in_the_order_of_the_log(store: SqlStore) -> None:
    broker, log = GatedBroker(), list[StoredEvent]()
    broker.subscribe(log.extend)
    async with deadline(20), open_node(store, broker=broker) as node:
        board = await create_board(node)
        async with anyio.create_task_group() as group:
            for n in range(5):
                group.start_soon(node.bus.execute, BOARD, _create(board, f"card {n}"))
                group.start_soon(publish, node, event("attempt.log.appended", LINE))
                group.start_soon(publish, node, event("agent.registered", {"agent": f"A{n}"}))
    offsets = [stored.offset for stored in log if stored.channel == board_channel(BOARD)]
    assert offsets == list(range(1, 1 + 1 + 3 * 5))
    assert [stored.offset for stored in log if stored.channel == EVERYBODY] == [1, 2, 3, 4, 5]
    assert [stored.global_offset for stored in log] == sorted(stored.global_offset for stored in log)


@pytest.mark.parametrize("turns", range(6))
async def test_caller_that_is_cancelled_neither_loses_nor_halves_its_command(turns: int, store: SqlStore) -> None:
    broker, log = GatedBroker(), list[StoredEvent]()
    broker.subscribe(log.extend)
    async with deadline(20), open_node(store, broker=broker) as node:
        board = await create_board(node)
        log.clear()
        task = asyncio.create_task(node.bus.execute(BOARD, _create(board)))
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await node.bus.aclose()
        created = len((await _board(node)).state.cards)
        # Before its first step the command has not begun; after it, the command is executed and published.
        assert created == (0 if turns == 0 else 1)
        assert len(log) == 2 * created


async def test_closing_waits_for_a_command_whose_caller_has_gone(store: SqlStore) -> None:
    broker, log = GatedBroker(), list[StoredEvent]()
    broker.subscribe(log.extend)
    async with deadline(20), open_node(store, broker=broker) as node:
        board = await create_board(node)
        broker.gate.clear()
        broker.reached.clear()
        task = asyncio.create_task(node.bus.execute(BOARD, _create(board)))
        await broker.reached.wait()
        task.cancel()
        await asyncio.wait([task])
        closing = asyncio.create_task(node.bus.aclose())
        await anyio.wait_all_tasks_blocked()
        assert not closing.done()
        assert len(log) == 1
        broker.gate.set()
        await closing
        assert len(log) == 3


async def test_refusal_of_a_caller_that_has_gone_is_no_fault(node: Node, board: Board) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    try:
        task = asyncio.create_task(node.bus.execute(BOARD, DeleteCard(card_id="unknown")))
        await anyio.lowlevel.checkpoint()
        task.cancel()
        await asyncio.wait([task])
        await node.bus.aclose()
        await anyio.wait_all_tasks_blocked()
        del task
        gc.collect()  # a task reports an unread exception when it is freed
    finally:
        asyncio.get_running_loop().set_exception_handler(None)
    assert faults == []


async def test_event_of_an_unknown_board_refuses_the_whole_batch(node: Node, board: Board) -> None:
    batch = [
        event("attempt.log.appended", LINE),
        event("attempt.log.appended", {**LINE, "boardId": "nowhere"}),
        event("agent.registered", {"agent": "CODEX"}),
        event("git.status.changed", {"projectId": "nowhere"}),
    ]
    with pytest.raises(InvalidInput) as refused:
        await publish(node, *batch)
    assert [field.field for field in refused.value.fields] == ["1.payload.boardId", "3.payload.projectId"]
    assert "'nowhere'" in refused.value.message
    assert await node.store.offset(board_channel(BOARD)) == 1
    assert await node.store.offset(EVERYBODY) == 0
    assert await lines_of(node.store, "a1") == []
    assert await node.store.agents() == ([], [])


async def test_board_made_earlier_in_the_batch_is_known_and_a_deleted_one_is_not(node: Node) -> None:
    made = event("project.created", {"projectId": "p1", "name": "Alpha", "repositoryPath": "/r"})
    gone = event("project.deleted", {"projectId": "p1"})
    line = event("attempt.log.appended", LINE)
    with pytest.raises(InvalidInput) as refused:
        await publish(node, line, made, line, gone, line)
    assert [field.field for field in refused.value.fields] == ["0.payload.boardId", "4.payload.boardId"]
    accepted = await publish(node, made, line, gone, made)
    assert [parse_cursor(one.cursor).offset for one in accepted] == [1, 2, 3, 4]
    assert len((await _board(node)).state.columns) == 4


async def test_events_of_a_batch_build_on_each_other(node: Node, board: Board) -> None:
    done = await node.bus.execute(BOARD, _create(board))
    (card_id,) = done.board.state.cards
    of_attempt = {"attemptId": "a1", "boardId": "p1", "cardId": card_id}
    pull = {"number": 1, "url": "https://h/1", "state": "open", "draft": False}
    accepted = await publish(
        node,
        event("attempt.queued", {**of_attempt, "agent": "CODEX"}),
        event("attempt.started", {**of_attempt, "agent": "CODEX"}),
        event("github.pr.created", {"projectId": "p1", "attemptId": "a1", "pr": pull}),
        event("attempt.completed", {**of_attempt, "status": "succeeded"}),
    )
    after = await _board(node)
    assert after.state.cards[card_id].pr_url == "https://h/1"
    assert after.state.cards[card_id].column_id == column_id(after.state, "Review")
    # Each answer names the event itself, not its consequences (the card's move and the state).
    assert [parse_cursor(one.cursor).offset for one in accepted] == [4, 5, 8, 10]


async def test_answer_names_each_event_with_its_own_channel(node: Node, board: Board) -> None:
    accepted = await publish(node, event("agent.registered", {"agent": "CODEX"}), event("attempt.log.appended", LINE))
    assert [one.name for one in accepted] == ["agent.registered", "attempt.log.appended"]
    everybody, of_board = [parse_cursor(one.cursor) for one in accepted]
    assert (everybody.offset, everybody.global_offset) == (1, 1)
    assert (of_board.offset, of_board.global_offset) == (2, 1)
    assert everybody.tag != of_board.tag


def _keyed(key: str, payload: dict[str, Any] = LINE) -> dict[str, Any]:
    return {"name": "attempt.log.appended", "payload": payload, "id": key}


async def test_repeated_key_answers_the_first_cursor_and_publishes_nothing(store: SqlStore) -> None:
    broker, log = GatedBroker(), list[StoredEvent]()
    broker.subscribe(log.extend)
    async with open_node(store, broker=broker) as node:
        await create_board(node)
        (first,) = await publish(node, _keyed("k1"))
        log.clear()
        (again,) = await publish(node, _keyed("k1"))
        assert again == first._replace(duplicate=True)
        assert log == []
        assert [line.message for line in await lines_of(node.store, "a1")] == ["m"]


async def test_repeated_key_within_a_batch_is_a_duplicate_of_the_first(node: Node, board: Board) -> None:
    one, other, again, plain = await publish(node, _keyed("k1"), _keyed("k2"), _keyed("k1"), event(**_line()))
    assert [one.duplicate, other.duplicate, again.duplicate, plain.duplicate] == [False, False, True, False]
    assert again.cursor == one.cursor
    assert [parse_cursor(answer.cursor).offset for answer in (one, other, plain)] == [2, 3, 4]
    assert len(await lines_of(node.store, "a1")) == 3


def _line() -> dict[str, Any]:
    return {"name": "attempt.log.appended", "payload": LINE}


async def test_repeated_key_is_known_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'b.db'}"
    async with open_store(url) as store, open_node(store) as node:
        await create_board(node)
        (first,) = await publish(node, _keyed("k1"))
    async with open_store(url) as store, open_node(store) as node:
        fresh, again = await publish(node, _keyed("k2"), _keyed("k1"))
        assert (again.cursor, again.duplicate) == (first.cursor, True)
        assert (parse_cursor(fresh.cursor).offset, fresh.duplicate) == (3, False)


async def test_repeated_key_of_a_deleted_board_is_still_a_duplicate(node: Node, board: Board) -> None:
    (first,) = await publish(node, _keyed("k1"))
    await publish(node, event("project.deleted", {"projectId": "p1"}))
    (again,) = await publish(node, _keyed("k1"))
    assert (again.cursor, again.duplicate) == (first.cursor, True)


async def test_batch_of_a_thousand_keys_is_stored_once(node: Node, board: Board) -> None:
    batch = incoming(*(_keyed(f"k{n}") for n in range(1000)))
    async with deadline(20):
        first = await node.bus.ingest(batch)
        again = await node.bus.ingest(batch)
    assert [one.cursor for one in first] == [one.cursor for one in again]
    assert all(one.duplicate for one in again)
    assert len(await lines_of(node.store, "a1")) == 1000


async def test_event_without_a_time_gets_that_of_its_turn(store: SqlStore) -> None:
    clock, broker = SteppingClock(), GatedBroker()
    async with deadline(10), open_node(store, clock=clock, broker=broker) as node:
        board = await create_board(node)
        broker.gate.clear()
        async with anyio.create_task_group() as group:
            group.start_soon(publish, node, event("attempt.log.appended", LINE))
            await anyio.wait_all_tasks_blocked()
            group.start_soon(node.bus.execute, BOARD, _create(board))
            await anyio.wait_all_tasks_blocked()
            turn = clock.now
            broker.gate.set()
        (card,) = (await _board(node)).state.cards.values()
        assert card.created_at >= turn, "the time was taken before the command's turn came"


async def test_deleted_board_refuses_commands_and_starts_anew_without_reusing_offsets(node: Node, board: Board) -> None:
    await node.bus.execute(BOARD, _create(board))
    await publish(node, event("project.deleted", {"projectId": "p1"}))
    with pytest.raises(NotFound):
        await node.bus.execute(BOARD, _create(board))
    again = await create_board(node)
    assert (again.state.cards, again.next_ticket_number) == ({}, 1)
    assert await node.store.offset(board_channel(BOARD)) == 5


async def test_conflict_says_its_code_and_leaves_the_board(node: Node, board: Board) -> None:
    done = await node.bus.execute(BOARD, _create(board, column="Done"))
    (card_id,) = done.board.state.cards
    with pytest.raises(Conflict) as refused:
        await node.bus.execute(
            BOARD, MoveCard(card_id=card_id, to_column_id=column_id(board.state, "Backlog"), to_index=0)
        )
    assert refused.value.code == "card_is_done"
    assert await _board(node) == done.board


@pytest.mark.parametrize("is_committed", [True, False])
async def test_unit_whose_commit_was_not_answered_is_what_the_log_says(
    store: SqlStore, node: Node, board: Board, is_committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact = store.transact

    async def unanswered(work: Any) -> None:
        def failing(transaction: Any) -> None:
            work(transaction)
            if not is_committed:
                raise StoreUnavailable("on purpose")

        await transact(failing)
        raise StoreUnavailable("on purpose")

    monkeypatch.setattr(store, "transact", unanswered)
    async with deadline(10), node.views.watch(BOARD) as view:
        if is_committed:
            done = await node.bus.execute(BOARD, _create(board))
            assert done.board == view.board == await _board(node)
            (accepted,) = await publish(node, event("agent.registered", {"agent": "A"}))
            assert not accepted.duplicate
        else:
            with pytest.raises(StoreUnavailable):
                await node.bus.execute(BOARD, _create(board))
            assert view.board == await _board(node) == board


async def test_unit_of_which_nobody_knows_reaches_subscribers_when_the_log_can_be_read(
    store: SqlStore, node: Node, board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact = store.transact

    async def away(*_: Any) -> Any:
        raise StoreUnavailable("on purpose")

    async def unanswered(work: Any) -> None:
        await transact(work)
        monkeypatch.setattr(store, "events", away)
        raise StoreUnavailable("on purpose")

    async with deadline(10), node.views.watch(BOARD) as view:
        with monkeypatch.context() as patch:
            patch.setattr(store, "transact", unanswered)
            with pytest.raises(StoreUnavailable):
                await node.bus.execute(BOARD, _create(board))
        monkeypatch.undo()
        await view.repaired()
        assert view.board == await _board(node)
        assert len(view.board.state.cards) == 1
