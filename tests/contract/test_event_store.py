"""The promises of every store about its log (`realtime/ports/`): order, atomicity, durability, consistent reads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from realtime.backends.sql.store import SqlStore
from realtime.kanban.board import Board, Recorded
from realtime.kanban.commands import CreateCard, decide
from realtime.kanban.events import ProjectCreated, parse_event
from realtime.kanban.ids import AttemptId, BoardId
from realtime.kanban.projection import new_project, react
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.ports import NewEvent, StoredBoard, StoredEvent, Transaction
from tests.contract.conftest import BACKENDS
from tests.kit.attempt_contents import lines_of
from tests.kit.deadline import deadline, seconds
from tests.kit.nodes import START, create_board, open_node, open_store, order_of

BOARD = BoardId("p1")
OF_BOARD = board_channel(BOARD)
ATTEMPT = AttemptId("a1")


def new(name: str, **payload: Any) -> NewEvent:
    """Make an event without consequences, on its channel."""
    event = parse_event(name, payload)
    channel = EVERYBODY if event.board_id is None else board_channel(event.board_id)
    return NewEvent(channel, Recorded(event, START))


def line(message: str = "m", board: str = BOARD) -> NewEvent:
    """Make a line of the log of the attempt `a1`."""
    return new("attempt.log.appended", boardId=board, attemptId="a1", level="info", message=message)


def agent(name: str = "CODEX") -> NewEvent:
    """Make a global event."""
    return new("agent.registered", agent=name)


def created(board_id: str = BOARD, name: str = "Alpha Board") -> NewEvent:
    """Make the event of a new board, with its columns."""
    event = parse_event("project.created", {"projectId": board_id, "name": name, "repositoryPath": "/r"})
    (recorded,) = react(None, event, START)
    return NewEvent(board_channel(BoardId(board_id)), recorded)


async def append(store: SqlStore, *events: NewEvent, board: Board | None = None) -> list[StoredEvent]:
    """Append in a separate transaction; `board` is the board that the events change, unless it is new."""
    boards = {board.id: board} if board else new_boards(*events)
    return await store.transact(lambda transaction: transaction.append(events, boards))


def new_boards(*events: NewEvent) -> dict[BoardId, Board]:
    """Return the boards that events of `created` make."""
    boards: dict[BoardId, Board] = {}
    for recorded in (one.recorded for one in events):
        if isinstance(recorded.event, ProjectCreated):
            board = Board(new_project(recorded.event, recorded.at))
            board.apply(recorded)
            boards[board.id] = board
    return boards


def places(stored: Sequence[StoredEvent]) -> list[tuple[Channel, int, int]]:
    """Return channel, offset and global offset of each."""
    return [(one.channel, one.offset, one.global_offset) for one in stored]


async def test_offsets_begin_at_one_and_have_no_gaps(store: SqlStore) -> None:
    first = await append(store, created(), line(), agent(), line(), created("p2"))
    then = await append(store, agent("B"), line(board="p2"), line())
    assert places(first) == [
        (OF_BOARD, 1, 0),
        (OF_BOARD, 2, 0),
        (EVERYBODY, 1, 1),
        (OF_BOARD, 3, 1),
        (board_channel(BoardId("p2")), 1, 1),
    ]
    assert places(then) == [(EVERYBODY, 2, 2), (board_channel(BoardId("p2")), 2, 2), (OF_BOARD, 4, 2)]
    assert [await store.offset(channel) for channel in (OF_BOARD, EVERYBODY, Channel("board:no"))] == [4, 2, 0]


async def test_appending_nothing_stores_nothing(store: SqlStore) -> None:
    assert await append(store) == []
    assert await store.offset(EVERYBODY) == 0


async def test_stored_event_is_the_event_that_was_given(store: SqlStore) -> None:
    given = [created(), line()]
    assert [one.recorded for one in await append(store, *given)] == [one.recorded for one in given]


async def test_transaction_that_fails_leaves_nothing(store: SqlStore) -> None:
    await append(store, created())
    with pytest.raises(RuntimeError, match="on purpose"):
        await _append_and_fail(store, line(), agent(), created("p2"))
    assert [await store.offset(OF_BOARD), await store.offset(EVERYBODY)] == [1, 0]
    assert await lines_of(store, ATTEMPT) == []
    assert await store.agents() == ([], [])
    assert [project.id for project in await store.projects()] == [BOARD]
    assert places(await append(store, line())) == [(OF_BOARD, 2, 0)]


async def _append_and_fail(store: SqlStore, *events: NewEvent) -> None:
    def work(transaction: Transaction) -> None:
        transaction.append(events, new_boards(*events))
        raise RuntimeError("on purpose")

    await store.transact(work)


async def test_transaction_whose_caller_is_cancelled_is_whole_and_the_store_goes_on(store: SqlStore) -> None:
    await append(store, created())
    loop, inside, may_go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def work(transaction: Transaction) -> None:
        transaction.append([line("one")], {})
        loop.call_soon_threadsafe(inside.set)
        assert may_go_on.wait(seconds(10))
        transaction.append([line("two")], {})

    async with deadline(10):
        task = asyncio.create_task(store.transact(work))
        await inside.wait()
        task.cancel()
        await asyncio.wait([task])
        may_go_on.set()
        assert places(await append(store, line("three"))) == [(OF_BOARD, 4, 0)]
        assert [one.message for one in await lines_of(store, ATTEMPT)] == ["one", "two", "three"]


async def test_transactions_never_overlap_and_the_later_sees_the_earlier(store: SqlStore) -> None:
    await append(store, created())
    inside, most, seen = 0, 0, list[int]()

    def work(transaction: Transaction) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        found = transaction.board(BOARD)
        assert found is not None
        seen.append(found.offset)
        transaction.append([line()], {})
        inside -= 1

    async with deadline(20), anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(store.transact, work)
    assert most == 1
    assert seen == list(range(1, 11))


async def test_transaction_sees_what_it_has_written_itself(store: SqlStore) -> None:
    def work(transaction: Transaction) -> StoredBoard | None:
        made = created()
        transaction.append([made, agent()], new_boards(made))
        return transaction.board(BOARD)

    found = await store.transact(work)
    assert found is not None
    assert (found.offset, found.global_offset) == (1, 1)
    titles = [column.title for column in found.board.state.columns.values()]
    assert titles == ["Backlog", "In Progress", "Review", "Done"]


async def test_known_boards_are_those_that_exist(store: SqlStore) -> None:
    await append(store, created(), created("p2"))
    asked = [BoardId(f"x{n}") for n in range(1200)]
    known = await store.transact(lambda transaction: transaction.known_boards([BOARD, BoardId("p2"), *asked]))
    assert known == {BOARD, "p2"}
    assert await store.transact(lambda transaction: transaction.known_boards([])) == set()
    assert await store.transact(lambda transaction: transaction.board(BoardId("x1"))) is None


async def test_board_of_the_store_is_what_folding_gives(store: SqlStore) -> None:
    made = created()
    await append(store, made)
    board = new_boards(made)[BOARD]
    for n in range(3):
        column = list(board.state.columns)[n % 2]
        for recorded in decide(board, CreateCard(column_id=column, title=f"card {n}", description="d\x00 ünï"), START):
            board.apply(recorded)
            await append(store, NewEvent(OF_BOARD, recorded), board=board)
    found = await store.board(BOARD)
    assert found is not None
    assert found.board == board
    assert order_of(found.board) == order_of(board)
    assert (found.offset, found.global_offset) == (7, 0)


async def test_reader_sees_one_moment_while_others_write(store: SqlStore) -> None:
    made = created()
    await append(store, made)
    column = made.recorded.changes[0].columns[0].id  # type: ignore[union-attr]  # a new board replaces the state

    def create(transaction: Transaction) -> None:
        found = transaction.board(BOARD)
        assert found is not None
        now = decide(found.board, CreateCard(column_id=column, title="card"), START)
        for one in now:
            found.board.apply(one)
        transaction.append([NewEvent(OF_BOARD, one) for one in now], {BOARD: found.board})

    async def write() -> None:
        for _ in range(20):
            await store.transact(create)

    async with deadline(30), anyio.create_task_group() as group:
        group.start_soon(write)
        for _ in range(20):
            found = await store.board(BOARD)
            assert found is not None
            cards = len(found.board.state.cards)
            assert found.offset == 1 + 2 * cards
            assert found.board.next_ticket_number == 1 + cards


async def test_reader_that_is_cancelled_costs_the_store_nothing(store: SqlStore) -> None:
    await append(store, created())
    async with deadline(20):
        for turns in range(12):
            task = asyncio.create_task(store.board(BOARD))
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            task.cancel()
            await asyncio.wait([task])
        assert await store.board(BOARD) is not None
        assert places(await append(store, line())) == [(OF_BOARD, 2, 0)]


async def test_epoch_is_a_short_word(store: SqlStore) -> None:
    assert 1 <= len(store.epoch) <= 32
    assert store.epoch.isascii()
    assert store.epoch.isalnum()
    assert store.epoch == store.epoch.lower()


@pytest.mark.parametrize("store_url", [name for name in BACKENDS if name != "sqlite-memory"], indirect=True)
async def test_restart_keeps_everything(store_url: str) -> None:
    async with open_store(store_url) as store:
        await append(store, created(), agent(), line())
        epoch, board = store.epoch, await store.board(BOARD)
    async with open_store(store_url) as store:
        assert store.epoch == epoch
        assert await store.board(BOARD) == board
        assert (await store.agents())[0][0].key == "CODEX"
        assert [one.message for one in await lines_of(store, ATTEMPT)] == ["m"]
        assert places(await append(store, line())) == [(OF_BOARD, 3, 1)]


async def test_two_databases_have_different_epochs(store: SqlStore) -> None:
    async with open_store() as other:
        assert other.epoch != store.epoch


async def test_closing_twice_is_allowed(store: SqlStore) -> None:
    reading = asyncio.create_task(store.board(BOARD))
    await anyio.lowlevel.checkpoint()
    await store.aclose()
    await store.aclose()
    assert await reading is None


@pytest.mark.parametrize("strange", ["board:plain", "board:two\nlines", "board:{a,b}", 'board:"quoted"'])
async def test_heads_of_many_channels_are_those_of_each(strange: str, store: SqlStore) -> None:
    async with open_node(store) as node:
        await create_board(node)
        asked = [*(Channel(f"board:none-{number}") for number in range(100)), Channel(strange), board_channel(BOARD)]
        heads = await store.heads(asked)
        assert heads == {channel: await store.offset(channel) for channel in asked}
        assert heads[board_channel(BOARD)] > 0
