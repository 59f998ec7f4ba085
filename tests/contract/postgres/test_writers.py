"""Several writers on one PostgreSQL database: one order for each board, no gaps, and decisions on the true board."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from itertools import pairwise
from typing import Any

import anyio
import pytest

from realtime.backends.sql.store import SqlStore
from realtime.errors import UnitConflict
from realtime.kanban.commands import CreateCard
from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, Channel, board_channel
from realtime.node import Node
from realtime.ports import FirstAnswer, RequestKey, Span, StoredEvent, Transaction
from realtime.writing.command_unit import Executed
from tests.contract.test_event_store import agent, append, created, line
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, column_id, create_board, open_node, open_store

WRITERS = 3
UNITS = 12
OF_BOARD, OF_OTHER = board_channel(BOARD), board_channel(BoardId("p2"))
KEY = RequestKey(OF_BOARD, "", "k")


@pytest.fixture
async def stores(postgres_url: str) -> AsyncIterator[list[SqlStore]]:
    """Stores on one database, as several processes have them."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_store(postgres_url)) for _ in range(WRITERS)]


async def log_of(store: SqlStore, channel: Channel) -> list[StoredEvent]:
    """Return all events of a channel and the global ones, in the order of the log."""
    return await store.events(channel, Span(0, 1 << 40, 0, 1 << 40), 10_000)


async def test_each_log_has_all_events_of_all_writers_without_gaps(stores: list[SqlStore]) -> None:
    await append(stores[0], created(), created("p2"))

    async def write(store: SqlStore) -> None:
        for n in range(UNITS):
            unit = [line(), line(board="p2"), line()] if n % 2 else [line(board="p2"), line()]
            await _appended(store, *unit, *([agent()] if n % 3 == 0 else []))

    async with deadline(60), anyio.create_task_group() as group:
        for store in stores:
            group.start_soon(write, store)
    for channel, count in ((OF_BOARD, UNITS // 2 * 3), (OF_OTHER, UNITS)):
        found = await log_of(stores[0], channel)
        own = [one for one in found if one.channel == channel]
        assert [one.offset for one in own] == list(range(1, WRITERS * count + 2))
        # One fact for all: an event stands behind exactly the global events that came before it.
        assert all(one.global_offset <= then.global_offset for one, then in pairwise(found))
        known = 0
        for one in found:
            known += one.channel == EVERYBODY
            assert one.global_offset == known
        assert known == WRITERS * UNITS // 3


async def _appended(store: SqlStore, *events: object) -> None:
    while True:
        try:
            await append(store, *events)  # type: ignore[arg-type]  # events of that module
        except UnitConflict:
            continue
        return


async def test_commands_of_all_nodes_are_decided_on_the_true_board(stores: list[SqlStore]) -> None:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(open_node(store)) for store in stores]
        board = await create_board(nodes[0])
        column = column_id(board.state, "Backlog")

        async def create(node: Node) -> None:
            for n in range(UNITS):
                await node.bus.execute(BOARD, CreateCard(column_id=column, title=f"card {n}"))

        async with deadline(60), anyio.create_task_group() as group:
            for node in nodes:
                group.start_soon(create, node)
        found = await stores[0].board(BOARD)
    assert found is not None
    numbers = [int((card.ticket_key or "").partition("-")[2]) for card in found.board.state.cards.values()]
    assert sorted(numbers) == list(range(1, WRITERS * UNITS + 1))
    assert found.offset == 1 + 2 * WRITERS * UNITS


async def test_request_with_one_key_is_carried_out_once(stores: list[SqlStore]) -> None:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(open_node(store)) for store in stores]
        board = await create_board(nodes[0])
        column = column_id(board.state, "Backlog")

        def create(node: Node) -> Coroutine[Any, Any, Executed]:
            return node.bus.execute(BOARD, CreateCard(column_id=column, title="once", id="card-1"), key=KEY)

        async with deadline(30):
            done = await asyncio.gather(*map(create, nodes))
        assert [one.is_repeated for one in done].count(False) == 1
        assert len({one.position for one in done}) == 1


async def test_unit_that_read_a_head_that_another_wrote_is_refused(stores: list[SqlStore]) -> None:
    loop, one, other = asyncio.get_running_loop(), *stores[:2]

    def work(transaction: Transaction) -> None:
        assert transaction.offset(OF_BOARD) == 0
        asyncio.run_coroutine_threadsafe(append(other, created()), loop).result()
        transaction.append([line()], {})

    async with deadline(20):
        with pytest.raises(UnitConflict, match="the log of board:p1 went on"):
            await one.transact(work)
    assert await one.offset(OF_BOARD) == 1


async def test_deadlock_is_a_conflict_for_one_of_two(stores: list[SqlStore]) -> None:
    await append(stores[0], created(), created("p2"))
    both = asyncio.Barrier(2)
    loop = asyncio.get_running_loop()

    async def write(store: SqlStore, first: Channel, second: Channel) -> str:
        def work(transaction: Transaction) -> None:
            transaction.offset(first)
            asyncio.run_coroutine_threadsafe(both.wait(), loop).result()
            transaction.offset(second)

        try:
            await store.transact(work)
        except UnitConflict as conflict:
            return str(conflict)
        return "done"

    async with deadline(30):
        done = await asyncio.gather(write(stores[0], OF_BOARD, OF_OTHER), write(stores[1], OF_OTHER, OF_BOARD))
    assert sorted(done) == ["deadlock detected", "done"]


async def test_key_that_another_has_used_meanwhile_is_a_conflict(stores: list[SqlStore]) -> None:
    answer = FirstAnswer(KEY, b"f", OF_BOARD, 0, 1, 0)
    await stores[0].transact(lambda transaction: transaction.remember([answer]))
    with pytest.raises(UnitConflict, match="duplicate key"):
        await stores[1].transact(lambda transaction: transaction.remember([answer]))
