"""Fixtures for tests of the core, in steps of readiness: a store, a node on it, a board in it. Each checks for leaks.

SQLite, the bus and the hub are real. Only the clock belongs to the test, and no socket is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from realtime.backends.memory import MemoryBroker
from realtime.backends.sql.store import SqlStore
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.board import Board
from realtime.kanban.ids import BoardId, ColumnId
from realtime.kanban.incoming import Incoming, parse_incoming
from realtime.kanban.models import BoardState
from realtime.messages.envelopes import Envelope
from realtime.node import Limits, Node, make_node
from realtime.ports import Broker, Store, StoredEvent
from realtime.service import Caller, Service
from realtime.writing.bus import Accepted
from tests.kit.deadline import deadline, seconds
from tests.kit.publishing import event

__all__ = [
    "BOARD",
    "MEMORY",
    "START",
    "TESTER",
    "GatedBroker",
    "SteppingClock",
    "board",
    "column_id",
    "create_board",
    "incoming",
    "node",
    "open_node",
    "open_store",
    "order_of",
    "publish",
    "queued",
    "service",
    "store",
    "take",
]

MEMORY = "sqlite://"
#: The first instant of a `SteppingClock`.
START = datetime(2025, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
#: The board of the fixture `board`.
BOARD = BoardId("p1")
_STOP_UNITS = 10


#: The client that asks in tests.
TESTER = Caller("127.0.0.1")


class SteppingClock:
    """A clock that advances by a millisecond per call, so that no two events have the same time by accident."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start

    def __call__(self) -> datetime:
        """Return the time and advance."""
        now, self.now = self.now, self.now + timedelta(milliseconds=1)
        return now


class GatedBroker(MemoryBroker):
    """A broker that delivers nothing while `gate` is closed, to make time pass between commit and delivery."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.reached = asyncio.Event()

    async def publish(self, batch: Sequence[StoredEvent]) -> None:
        """Note that a batch has come, wait for the gate, then deliver it."""
        self.reached.set()
        await self.gate.wait()
        await super().publish(batch)


@asynccontextmanager
async def open_store(url: str = MEMORY) -> AsyncIterator[SqlStore]:
    """Open a store until the block ends."""
    opened = SqlStore(url)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.aclose()


@asynccontextmanager
async def open_node(
    used: Store, *, broker: Broker | None = None, clock: SteppingClock | None = None, limits: Limits | None = None
) -> AsyncIterator[Node]:
    """Build a node on an open store. At the end no subscriber, view or task of it may be left."""
    tasks_before = asyncio.all_tasks()
    made = await make_node(used, broker or MemoryBroker(), clock or SteppingClock(), limits or Limits())
    try:
        yield made
    finally:
        await made.bus.aclose()
    assert made.hub.statistics().subscribers == 0, f"subscribers are left: {made.hub.statistics()}"
    assert made.hub.statistics().channels == 0, f"channels are left: {made.hub.channels()}"
    assert len(made.views) == 0, "views are left"
    assert made.dashboard.channels() == (), "dashboards are left"
    assert len(made.heartbeats) == 0, "timers are left"
    await _check_no_task_is_left(tasks_before)


async def _check_no_task_is_left(tasks_before: set[asyncio.Task[Any]]) -> None:
    """Let ending tasks end (a read of the store whose caller was cancelled); then no task may be left."""
    new = {task for task in asyncio.all_tasks() - tasks_before if not task.done() and not _is_of_pytest(task)}
    left = (await asyncio.wait(new, timeout=seconds(_STOP_UNITS)))[1] if new else set()
    assert not left, f"tasks are left: {left}"


def _is_of_pytest(task: asyncio.Task[Any]) -> bool:
    return getattr(task.get_coro(), "__qualname__", "").startswith("TestRunner.")


@pytest.fixture
async def store() -> AsyncIterator[SqlStore]:
    """An open, empty store in memory."""
    async with open_store() as opened:
        yield opened


@pytest.fixture
def service(node: Node) -> Service:
    """The service on that node, under the policy that allows everything."""
    return Service(node)


@pytest.fixture
async def node(store: SqlStore) -> AsyncIterator[Node]:
    """A node on an empty store."""
    async with open_node(store) as made:
        yield made


@pytest.fixture
async def board(node: Node) -> Board:
    """The board `BOARD` of `node`, with its default columns and no cards."""
    return await create_board(node)


async def create_board(node: Node, board_id: str = BOARD, name: str = "Alpha Board") -> Board:
    """Create a board and return it as it is stored."""
    await publish(node, event("project.created", {"projectId": board_id, "name": name, "repositoryPath": "/r"}))
    stored = await node.store.board(BoardId(board_id))
    assert stored is not None
    return stored.board


def incoming(*events: dict[str, Any]) -> list[Incoming]:
    """Parse events as the ingest does."""
    return parse_incoming(list(events))


async def publish(node: Node, *events: dict[str, Any]) -> list[Accepted]:
    """Publish events from outside."""
    return await node.bus.ingest(incoming(*events))


def column_id(state: BoardState, title: str) -> ColumnId:
    """Return the id of the column with that title."""
    column = state.column_titled(title)
    assert column is not None, f"no column {title!r}"
    return column.id


def order_of(board: Board) -> tuple[list[str], list[str], list[str]]:
    """Return the ids of columns, cards and attempts in their order, because equality of mappings ignores order."""
    return list(board.state.columns), list(board.state.cards), list(board.attempts)


async def take(stream: AsyncGenerator[Envelope, None], count: int, units: float = 5) -> list[Envelope]:
    """Read this many envelopes from a stream, within a deadline."""
    taken: list[Envelope] = []
    async with deadline(units):
        while len(taken) < count:
            taken.append(await anext(stream))
    return taken


async def queued(subscriber: Subscriber) -> list[Envelope]:
    """Take everything that waits in a queue."""
    return [await subscriber.get() for _ in range(len(subscriber))]
