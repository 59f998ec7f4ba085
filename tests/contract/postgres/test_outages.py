"""A PostgreSQL server that is away: requests fail with the reason, and all goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import anyio.lowlevel
import psycopg
import pytest

from realtime.backends.sql.postgres import connecting
from realtime.backends.sql.postgres import postgres as database
from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnavailable
from realtime.kanban.ids import BoardId
from realtime.messages.channels import board_channel
from realtime.node import Node
from realtime.ports import Transaction
from tests.contract.test_event_store import line
from tests.kit.attempt_contents import lines_of
from tests.kit.deadline import deadline, seconds
from tests.kit.nodes import BOARD, create_board, open_node, open_store, publish
from tests.kit.postgres_server import PostgresServer
from tests.kit.publishing import event

LINE = {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"}
OF_BOARD = board_channel(BoardId(BOARD))


@pytest.fixture
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server, which runs again after the test."""
    try:
        yield postgres
    finally:
        postgres.resume()
        if not postgres.is_running:
            postgres.start()


@pytest.fixture
async def store(server: PostgresServer, postgres_url: str) -> AsyncIterator[SqlStore]:
    """An open store on that server."""
    async with open_store(postgres_url) as opened:
        yield opened


@pytest.fixture
async def node(store: SqlStore) -> AsyncIterator[Node]:
    """A node with a board."""
    async with open_node(store) as made:
        await create_board(made)
        yield made


async def assert_away(store: SqlStore, node: Node, reason: str) -> None:
    """Check that reads and writes fail with that reason, and with nothing of a statement or password."""
    for asked in (store.ping(), store.board(BOARD), publish(node, event("attempt.log.appended", LINE))):
        async with deadline(10):
            with pytest.raises(StoreUnavailable) as away:
                await asked
        assert reason in str(away.value)
        assert "secret" not in str(away.value)
        assert "SELECT" not in str(away.value)


async def back(store: SqlStore) -> None:
    """Wait until the store answers."""
    async with deadline(20):
        while True:
            try:
                await store.ping()
            except StoreUnavailable:
                await anyio.lowlevel.checkpoint()
            else:
                return


async def test_server_that_is_stopped_is_away_until_it_runs_again(
    server: PostgresServer, store: SqlStore, node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    await publish(node, event("attempt.log.appended", LINE))
    server.stop()
    await assert_away(store, node, "")
    await assert_away(store, node, "Connection refused")
    server.start()
    await back(store)
    await publish(node, event("attempt.log.appended", LINE))
    assert [one.offset for one in await lines_of(store, "a1")] == [2, 3]
    assert len([record for record in caplog.records if "cannot be used" in record.message]) <= 2
    assert "the database is back" in caplog.text
    assert "secret" not in caplog.text


async def test_server_that_is_paused_does_not_answer_until_it_goes_on(
    server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "ANSWER_SECONDS", seconds(0.5))
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 2)  # libpq's least
    async with open_store(postgres_url) as store, open_node(store) as node:
        await create_board(node)
        server.pause()
        await assert_away(store, node, "")
        server.resume()
        await back(store)
        await written(node)
        # A write that was not answered may be stored: its caller got no success, and the log has it once.
        assert [one.offset for one in await lines_of(store, "a1")] == list(range(2, await store.offset(OF_BOARD) + 1))


async def test_sessions_that_were_ended_are_replaced_before_anybody_notices(
    server: PostgresServer, postgres_url: str, store: SqlStore, node: Node
) -> None:
    for _ in range(2):
        await asyncio.gather(*(store.projects() for _ in range(4)))
        assert server.terminate_connections(postgres_url) >= 2
        await asyncio.gather(*(store.projects() for _ in range(4)))
        await publish(node, event("attempt.log.appended", LINE))
    assert [one.offset for one in await lines_of(store, "a1")] == [2, 3]


async def test_unit_whose_session_ends_stores_nothing_and_the_next_goes_on(
    server: PostgresServer, postgres_url: str, store: SqlStore, node: Node
) -> None:
    def work(transaction: Transaction) -> None:
        transaction.append([line()], {})
        server.terminate_connections(postgres_url)
        transaction.append([line()], {})

    async with deadline(30):
        with pytest.raises(StoreUnavailable, match="terminating connection"):
            await store.transact(work)
        assert await lines_of(store, "a1") == []
        await publish(node, event("attempt.log.appended", LINE))
        assert [one.offset for one in await lines_of(store, "a1")] == [2]


async def test_unit_waits_for_the_lock_of_another_only_so_long(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(database.WRITER_SETTINGS, "lock_timeout", "100ms")
    async with open_store(postgres_url) as store, open_node(store) as node:
        await create_board(node)
        with psycopg.connect(postgres_url) as other:
            other.execute("SELECT * FROM channels FOR UPDATE")
            with pytest.raises(StoreUnavailable, match="lock timeout"):
                await publish(node, event("attempt.log.appended", LINE))
            assert await store.board(BOARD) is not None  # reads continue
        await publish(node, event("attempt.log.appended", LINE))
        assert [one.offset for one in await lines_of(store, "a1")] == [2]


async def written(node: Node) -> None:
    """Write once the store can."""
    async with deadline(20):
        while True:
            try:
                await publish(node, event("attempt.log.appended", LINE))
            except StoreUnavailable:
                await anyio.lowlevel.checkpoint()
            else:
                return
