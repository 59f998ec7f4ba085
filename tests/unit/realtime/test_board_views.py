"""Views of watched boards: loaded once, never behind or ahead, and removed with their last subscriber."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from weakref import ref

import anyio
import pytest

from realtime.errors import NotFound, StoreUnavailable
from realtime.kanban.board import Board, Recorded
from realtime.kanban.commands import CreateCard
from realtime.kanban.events import AgentRegistered
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, board_channel
from realtime.node import Node
from realtime.ports import BoardReader, StoredBoard, StoredEvent
from realtime.views.board_views import BoardView, BoardViews
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, START, column_id, create_board, publish
from tests.kit.publishing import event


class _SlowReader:
    """The store's reader, whose answers are held back until `answer` is set."""

    def __init__(self, reader: BoardReader) -> None:
        self._reader = reader
        self.loads = 0
        self.has_read = asyncio.Event()
        self.answer = asyncio.Event()
        self.fault: Exception | None = None

    async def board(self, board_id: BoardId) -> StoredBoard | None:
        self.loads += 1
        found = await self._reader.board(board_id)
        self.has_read.set()
        await self.answer.wait()
        if self.fault:
            raise self.fault
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


class _Views:
    """Views over a slow reader, fed with the events that a node stores."""

    def __init__(self, node: Node) -> None:
        self.reader = _SlowReader(node.store)
        self.views = BoardViews(self.reader, node.store.epoch)
        self.log: list[StoredEvent] = []

    def apply_log(self) -> None:
        for stored in self.log:
            if stored.channel == EVERYBODY:
                self.views.apply_globally(stored)
            else:
                self.views.apply(BoardId(stored.channel.removeprefix("board:")), stored)
        self.log.clear()


Watch = Callable[[], Coroutine[Any, Any, BoardView]]


@asynccontextmanager
async def _watching(
    views: BoardViews, board_id: BoardId = BOARD
) -> AsyncIterator[tuple[asyncio.Task[BoardView], asyncio.Event]]:
    """Watch in a separate task; yield the task that has the view, and the event that ends the watch."""
    leave = asyncio.Event()
    have: asyncio.Future[BoardView] = asyncio.get_running_loop().create_future()

    async def watch() -> BoardView:
        async with views.watch(board_id) as view:
            have.set_result(view)
            await leave.wait()
            return view

    task = asyncio.create_task(watch())
    try:
        yield task, leave
    finally:
        leave.set()
        task.cancel()
        await asyncio.wait([task])


def _agent(global_offset: int) -> StoredEvent:
    return StoredEvent(EVERYBODY, Recorded(AgentRegistered(agent="A"), START), global_offset, global_offset)


async def _create(node: Node, board: Board, title: str = "card") -> tuple[Recorded, ...]:
    done = await node.bus.execute(BOARD, CreateCard(column_id=column_id(board.state, "Backlog"), title=title))
    return done.recorded


async def _stored_since(
    node: Node, offset: int, recorded: tuple[Recorded, ...], global_offset: int = 0
) -> list[StoredEvent]:
    return [
        StoredEvent(board_channel(BOARD), one, offset + n, global_offset) for n, one in enumerate(recorded, start=1)
    ]


async def test_events_published_while_loading_are_in_the_view_once(node: Node, board: Board) -> None:
    views = _Views(node)
    async with deadline(5), _watching(views.views) as (task, leave):
        await views.reader.has_read.wait()  # the rows are read, and then a change happens
        views.log = await _stored_since(node, 1, await _create(node, board))
        views.apply_log()
        views.views.apply_globally(_agent(1))
        assert views.views.get(BOARD) is None
        views.reader.answer.set()
        await anyio.wait_all_tasks_blocked()
        view = views.views.get(BOARD)
        assert view is not None
        stored = await node.store.board(BOARD)
        assert stored is not None
        assert view.board == stored.board
        assert (view.position.offset, view.position.global_offset) == (stored.offset, 1)
        leave.set()
        await task


async def test_events_that_the_rows_contain_are_left_out_of_the_view(node: Node, board: Board) -> None:
    views = _Views(node)
    async with deadline(5):
        events = await _stored_since(node, 1, await _create(node, board))
        async with _watching(views.views) as (_, leave):
            await views.reader.has_read.wait()
            views.log = events  # committed before the load, published during it
            views.apply_log()
            views.reader.answer.set()
            await anyio.wait_all_tasks_blocked()
            stored, view = await node.store.board(BOARD), views.views.get(BOARD)
            assert stored is not None
            assert view is not None
            assert view.board == stored.board
            leave.set()


async def test_event_published_after_a_load_that_saw_it_is_not_applied_twice(node: Node, board: Board) -> None:
    views = _Views(node)
    views.reader.answer.set()
    async with deadline(5):
        recorded = await _create(node, board)
        async with views.views.watch(BOARD) as view:
            before = view.board.copy()
            views.log = await _stored_since(node, 1, recorded)
            views.apply_log()
            assert view.board == before
            assert view.position.offset == 3


async def test_two_subscribers_share_one_load_and_one_view(node: Node, board: Board) -> None:
    views = _Views(node)
    views.reader.answer.set()
    async with deadline(5), views.views.watch(BOARD) as first, views.views.watch(BOARD) as second:
        assert first is second
    views = _Views(node)
    async with deadline(5), _watching(views.views), _watching(views.views):
        await views.reader.has_read.wait()
        views.reader.answer.set()
        await anyio.wait_all_tasks_blocked()
        assert views.reader.loads == 1
        assert views.views.get(BOARD) is not None
    assert len(views.views) == 0


async def test_subscriber_that_leaves_during_the_load_does_not_end_it_for_another(node: Node, board: Board) -> None:
    views = _Views(node)
    async with deadline(5), _watching(views.views) as (first, _), _watching(views.views):
        await views.reader.has_read.wait()
        first.cancel()
        await asyncio.wait([first])
        views.reader.answer.set()
        await anyio.wait_all_tasks_blocked()
        assert views.views.get(BOARD) is not None


async def test_last_subscriber_that_leaves_during_the_load_leaves_nothing_behind(node: Node, board: Board) -> None:
    views = _Views(node)
    async with deadline(5), _watching(views.views) as (only, _):
        await views.reader.has_read.wait()
        only.cancel()
        await asyncio.wait([only])
        assert len(views.views) == 0
        async with _watching(views.views):  # the next watch begins with its own load
            await anyio.wait_all_tasks_blocked()
            views.reader.answer.set()
            await anyio.wait_all_tasks_blocked()
            assert views.reader.loads == 2
            assert views.views.get(BOARD) is not None
    assert len(views.views) == 0


async def test_unknown_board_is_not_found_by_any_subscriber(node: Node) -> None:
    views = _Views(node)
    async with deadline(5), _watching(views.views) as (first, _), _watching(views.views) as (second, _):
        await views.reader.has_read.wait()
        views.reader.answer.set()
        await asyncio.wait([first, second])
        for task in (first, second):
            with pytest.raises(NotFound, match="Board not found") as refused:
                await task
            assert refused.value.code == "board_not_found"
    assert len(views.views) == 0


async def test_load_that_fails_is_tried_again_by_the_next_subscriber(node: Node, board: Board) -> None:
    views = _Views(node)
    views.reader.answer.set()
    views.reader.fault = StoreUnavailable("away")
    async with deadline(5):
        with pytest.raises(StoreUnavailable):
            await AsyncExitStack().enter_async_context(views.views.watch(BOARD))
        assert len(views.views) == 0
        views.reader.fault = None
        async with views.views.watch(BOARD) as view:
            assert view.board == board


async def test_board_without_subscribers_is_not_folded(node: Node, board: Board) -> None:
    recorded = await _create(node, board)
    for stored in await _stored_since(node, 1, recorded):
        assert node.views.apply(BOARD, stored) is None
    assert node.views.get(BOARD) is None
    assert len(node.views) == 0


async def test_global_event_moves_every_view_and_no_board(node: Node, board: Board) -> None:
    other = await create_board(node, "p2")
    async with deadline(5), node.views.watch(BOARD) as one, node.views.watch(BoardId("p2")) as two:
        await publish(node, event("agent.registered", {"agent": "CODEX"}))
        assert (one.position.global_offset, two.position.global_offset) == (1, 1)
        assert (one.board, two.board) == (board, other)
        assert node.views.apply_globally(_agent(1)) == []  # known already
        assert node.views.apply_globally(_agent(2)) == [(BOARD, one), ("p2", two)]


async def test_dropped_view_is_loaded_anew_by_later_subscribers(node: Node, board: Board) -> None:
    async with deadline(5), node.views.watch(BOARD) as first:
        node.views.drop(BOARD)
        assert node.views.get(BOARD) is None
        async with node.views.watch(BOARD) as second:
            assert second is not first
            assert node.views.get(BOARD) is second
        assert len(node.views) == 0


async def test_snapshot_is_one_for_all_who_are_given_it_and_no_longer(node: Node, board: Board) -> None:
    async with node.views.watch(BOARD) as view:
        first, second = view.snapshot(), view.snapshot()
        assert [one is other for one, other in zip(first, second, strict=True)] == [True]
        gone = ref(first[0])
        del first, second
        assert gone() is None
        before = view.snapshot()
        await publish(node, event("agent.registered", {"agent": "A", "label": "a"}))
        assert view.snapshot()[0] is not before[0]
        assert view.snapshot()[0].cursor == view.position.cursor
