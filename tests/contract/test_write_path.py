"""A writer may have an outdated board: every store checks the offset and returns the missed events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from realtime.backends.memory import MemoryBroker
from realtime.backends.sql.store import SNAPSHOT_EVENTS, SqlStore
from realtime.errors import BoardMoved, InvalidInput, NotFound
from realtime.kanban.board import Board, Recorded
from realtime.kanban.commands import CreateCard, DeleteCard, MoveCard
from realtime.kanban.events import ProjectCreated, parse_event
from realtime.kanban.ids import AttemptId, CardId
from realtime.kanban.projection import new_project
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.node import Node
from realtime.ports import Horizon, NewEvent, StoredEvent
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, START, column_id, create_board, open_node, publish
from tests.kit.publishing import event

OF_BOARD = board_channel(BOARD)


def _line(message: str = "m") -> dict[str, Any]:
    return event("attempt.log.appended", {"attemptId": "a", "boardId": BOARD, "level": "info", "message": message})


def _new() -> NewEvent:
    made = _line()
    return NewEvent(OF_BOARD, Recorded(parse_event(made["name"], made["payload"]), START))


class Pair:
    """Two nodes on one store without messages between them, like two processes without a broker."""

    def __init__(self, one: Node, other: Node, board: Board) -> None:
        self.one, self.other = one, other
        self.board = board

    def create(self, title: str, column: str = "Backlog") -> CreateCard:
        """Return the command that makes a card."""
        return CreateCard(column_id=column_id(self.board.state, column), title=title)

    def move(self, card_id: str, column: str) -> MoveCard:
        """Return the command that moves a card to the top of a column."""
        return MoveCard(card_id=card_id, to_column_id=column_id(self.board.state, column), to_index=0)

    async def true_board(self) -> Board:
        """Return the board of the rows."""
        stored = await self.one.store.board(BOARD)
        assert stored is not None
        return stored.board


@pytest.fixture
async def pair(store: SqlStore) -> AsyncIterator[Pair]:
    """Two nodes; the board is watched on both."""
    async with open_node(store) as one, open_node(store, broker=MemoryBroker()) as other:
        board = await create_board(one)
        async with deadline(60), _watched(one, other):
            yield Pair(one, other, board)


@asynccontextmanager
async def _watched(*nodes: Node) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(node.views.watch(BOARD))
        yield


async def _append(store: SqlStore, decided_at: int | None) -> list[StoredEvent]:
    believed = {} if decided_at is None else {BOARD: decided_at}
    return await store.transact(lambda transaction: transaction.append([_new()], {}, believed))


@pytest.mark.parametrize("decided_at", [0, 2, 4])
async def test_append_that_was_decided_elsewhere_stores_nothing(store: SqlStore, decided_at: int) -> None:
    for _ in range(3):
        await _append(store, None)
    with pytest.raises(BoardMoved, match=f"stands at offset 3, the events were decided at {decided_at}"):
        await _append(store, decided_at)
    assert await store.offset(OF_BOARD) == 3
    assert [stored.offset for stored in await _append(store, 3)] == [4]


async def test_transaction_knows_the_heads_it_has_written(store: SqlStore) -> None:
    def work(transaction: Any) -> list[int]:
        seen = [transaction.offset(OF_BOARD)]
        for _ in range(2):
            transaction.append([_new()], {}, {BOARD: seen[-1]})
            seen.append(transaction.offset(OF_BOARD))
        return [*seen, transaction.offset(EVERYBODY)]

    assert await store.transact(work) == [0, 1, 2, 0]


async def test_missed_events_are_those_after_an_offset_as_they_were_stored(store: SqlStore) -> None:
    written = [stored for _ in range(4) for stored in await _append(store, None)]

    def missed(after: int, limit: int) -> Any:
        return store.transact(lambda transaction: transaction.missed(BOARD, after, limit))

    assert await missed(1, 10) == written[1:]
    assert await missed(1, 2) == written[1:3]
    assert await missed(4, 10) == []
    await store.prune(OF_BOARD, Horizon(newest_events=1), 10)
    assert await missed(1, 10) == written[3:]


async def test_unit_sees_the_events_that_earlier_units_of_its_transaction_have_appended(store: SqlStore) -> None:
    at, pause = _new(), SNAPSHOT_EVENTS // 2

    def work(transaction: Any) -> list[Any]:
        appended: list[Any] = []
        for count in (1, 2, pause, SNAPSHOT_EVENTS):
            appended += [one for _ in range(count) for one in transaction.append([at], {})]
            assert transaction.missed(BOARD, 0, 2 * SNAPSHOT_EVENTS) == appended
        assert transaction.known_boards({BOARD}) == set()
        made = event("project.created", {"projectId": BOARD, "name": "B", "repositoryPath": "/r"})
        project = parse_event(made["name"], made["payload"])
        assert isinstance(project, ProjectCreated)
        board = Board(new_project(project, START))
        appended += transaction.append([at, NewEvent(OF_BOARD, Recorded(project, START)), at], {BOARD: board})
        assert transaction.known_boards({BOARD}) == {BOARD}
        appended += transaction.append([at], {})
        assert transaction.board(BOARD).offset == appended[-1].offset
        return appended

    appended = await store.transact(work)
    assert [one.offset for one in appended] == list(range(1, len(appended) + 1))
    assert await store.transact(lambda transaction: transaction.missed(BOARD, 0, 2 * len(appended))) == appended
    lines = await store.logs(BOARD, AttemptId("a"), 0, len(appended))
    assert [offset for offset, _ in lines.entries] == [
        one.offset for one in appended if one.recorded.event.type == "attempt.log.appended"
    ]


async def test_superseded_events_are_read_as_they_were_stored(store: SqlStore) -> None:
    async with open_node(store) as node:
        board = await create_board(node)
        command = CreateCard(column_id=column_id(board.state, "Backlog"), title="t")
        move = MoveCard(card_id=command.card_id, to_column_id=column_id(board.state, "Review"), to_index=0)
        await node.bus.execute(BOARD, command, move)
    stored = await store.transact(lambda transaction: transaction.missed(BOARD, 1, 10))
    assert [(one.recorded.event.type, one.superseded) for one in stored] == [
        ("card.created", False),
        ("board.state.changed", True),
        ("card.moved", False),
        ("board.state.changed", False),
    ]


async def test_two_writers_never_give_one_ticket_key_twice(pair: Pair) -> None:
    for n in range(4):
        await pair.one.bus.execute(BOARD, pair.create(f"one {n}"))
        await pair.other.bus.execute(BOARD, pair.create(f"other {n}"))
    keys = [card.ticket_key for card in (await pair.true_board()).state.cards.values()]
    assert keys == [f"AB-{n}" for n in range(1, 9)]


async def test_command_is_refused_by_what_another_writer_did(pair: Pair) -> None:
    made = pair.create("shared")
    await pair.one.bus.execute(BOARD, made)
    await pair.other.bus.execute(BOARD, DeleteCard(card_id=made.card_id))
    with pytest.raises(NotFound):
        await pair.one.bus.execute(BOARD, pair.move(made.card_id, "Review"))
    assert await pair.one.store.offset(OF_BOARD) == 5


async def test_command_that_changes_nothing_any_more_stands_at_the_true_place(pair: Pair) -> None:
    made = pair.create("shared")
    await pair.one.bus.execute(BOARD, made)
    await pair.other.bus.execute(BOARD, pair.move(made.card_id, "Review"))
    done = await pair.one.bus.execute(BOARD, pair.move(made.card_id, "Review"))
    assert done.recorded == ()
    assert done.position.offset == 5
    assert done.board == await pair.true_board()


async def test_events_from_outside_react_to_what_another_writer_did(pair: Pair) -> None:
    made = pair.create("shared")
    await pair.one.bus.execute(BOARD, made)
    await pair.other.bus.execute(BOARD, pair.move(made.card_id, "Review"))
    started = {"attemptId": "a1", "boardId": BOARD, "cardId": made.card_id, "agent": "A", "status": "running"}
    await publish(pair.one, event("attempt.started", started))
    board = await pair.true_board()
    assert board.state.cards[CardId(made.card_id)].column_id == column_id(board.state, "In Progress")
    await publish(pair.other, event("attempt.completed", {**started, "status": "succeeded"}))
    board = await pair.true_board()
    assert board.state.cards[CardId(made.card_id)].column_id == column_id(board.state, "Review")


async def test_writer_continues_after_its_log_was_pruned(pair: Pair) -> None:
    for n in range(3):
        await pair.other.bus.execute(BOARD, pair.create(f"card {n}"))
    await pair.one.store.prune(OF_BOARD, Horizon(START + timedelta(days=10_000)), 100)  # type: ignore[attr-defined]  # SqlStore has it
    done = await pair.one.bus.execute(BOARD, pair.create("last"))
    assert [card.ticket_key for card in done.board.state.cards.values()] == [f"AB-{n}" for n in range(1, 5)]


async def test_board_that_another_writer_deleted_is_gone(pair: Pair) -> None:
    await publish(pair.other, event("project.deleted", {"projectId": BOARD}))
    with pytest.raises(NotFound):
        await pair.one.bus.execute(BOARD, pair.create("late"))
    with pytest.raises(InvalidInput):
        await publish(pair.one, _line())


async def test_board_that_another_writer_made_anew_is_another(pair: Pair) -> None:
    await pair.one.bus.execute(BOARD, pair.create("old"))
    await publish(pair.other, event("project.deleted", {"projectId": BOARD}))
    board = await create_board(pair.other, name="Beta Game")
    made = CreateCard(column_id=column_id(board.state, "Done"), title="new")
    done = await pair.one.bus.execute(BOARD, made)
    assert [card.ticket_key for card in done.board.state.cards.values()] == ["BG-1"]
