"""The errors of a SQLite store that cannot open or write its file. Nothing may be stored in part."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from realtime.backends.sql import engine
from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnavailable, StoreUnusable
from realtime.kanban.board import Board
from realtime.kanban.commands import CreateCard
from tests.kit.attempt_contents import lines_of
from tests.kit.deadline import deadline
from tests.kit.full_disk import full_disk
from tests.kit.nodes import BOARD, column_id, create_board, open_node, open_store, publish
from tests.kit.publishing import event

LINE = {"attemptId": "a1", "boardId": "p1", "level": "info", "message": "m"}


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


async def _open_and_close(url: str) -> None:
    store = SqlStore(url)
    try:
        async with deadline(10):
            await store.open()
    finally:
        await store.aclose()


@pytest.mark.parametrize(
    "url",
    ["", "boardcast.db", "http://localhost/x", "sqlite:x.db", "postgresql://h/x?no=option", "sqlite+nothing://"],
)
def test_url_of_no_known_database_is_unusable(url: str) -> None:
    with pytest.raises(StoreUnusable, match="expected a database URL"):
        SqlStore(url)


async def test_directory_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="cannot open the database"):
        await _open_and_close(_url(tmp_path))


async def test_file_in_a_missing_directory_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="cannot open the database"):
        await _open_and_close(_url(tmp_path / "missing" / "b.db"))


async def test_file_that_is_no_database_is_unusable_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "garbage.db"
    path.write_bytes(b"this is no database " * 1000)
    before = path.read_bytes()
    with pytest.raises(StoreUnusable, match="not a database"):
        await _open_and_close(_url(path))
    assert path.read_bytes() == before


async def test_database_of_somebody_else_is_unusable_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (id INTEGER)")
    with pytest.raises(StoreUnusable, match="cannot open the database"):
        await _open_and_close(_url(path))
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert tables == [("events",)]


async def test_database_of_a_newer_version_is_unusable(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    await _open_and_close(_url(path))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnusable, match="cannot open the database"):
        await _open_and_close(_url(path))


async def test_read_only_database_can_be_read_and_writing_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    async with open_store(_url(path)) as store, open_node(store) as node:
        board = await create_board(node)
    async with open_store(f"sqlite:///file:{path}?mode=ro&uri=true") as store, open_node(store) as node:
        with pytest.raises(StoreUnavailable, match="readonly"):
            await node.bus.execute(BOARD, _create(board))
        with pytest.raises(StoreUnavailable, match="readonly"):
            await publish(node, event("attempt.log.appended", LINE))
        stored = await store.board(BOARD)
        assert stored is not None
        assert (stored.board, stored.offset) == (board, 1)


@contextmanager
def _locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold the write lock of a database, as another process would; yield the connection that holds it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


async def test_locked_database_is_unavailable_and_nothing_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_MILLISECONDS", 20)
    path = tmp_path / "b.db"
    async with open_store(_url(path)) as store, open_node(store) as node:
        board = await create_board(node)
        with _locked(path) as other:
            with pytest.raises(StoreUnavailable, match="locked"):
                await node.bus.execute(BOARD, _create(board))
            with pytest.raises(StoreUnavailable, match="locked"):
                await publish(node, event("attempt.log.appended", LINE))
            await store.ping()  # reads continue
            other.execute("ROLLBACK")
        assert await lines_of(store, "a1") == []
        done = await node.bus.execute(BOARD, _create(board))
        assert done.position.offset == 3


def _create(board: Board) -> CreateCard:
    return CreateCard(column_id=column_id(board.state, "Backlog"), title="card")


def _size_of_log(database: Path) -> int:
    return Path(f"{database}-wal").stat().st_size


async def test_full_disk_is_unavailable_and_nothing_is_half_stored(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    long = [event("attempt.log.appended", {**LINE, "message": "m" * 10_000})] * 100
    async with open_store(_url(path)) as store, open_node(store) as node:
        board = await create_board(node)
        async with node.views.watch(BOARD) as view:
            with full_disk(_size_of_log(path) + 100_000), pytest.raises(StoreUnavailable):
                await publish(node, event("agent.registered", {"agent": "A"}), *long)
            assert (view.board, view.position.offset) == (board, 1)
            assert await lines_of(store, "a1") == []
            assert await store.agents() == ([], [])
            done = await node.bus.execute(BOARD, _create(board))
            assert (done.position.offset, done.position.global_offset) == (3, 0)


async def test_failing_writes_are_logged_once_and_so_is_their_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "BUSY_MILLISECONDS", 20)
    path = tmp_path / "b.db"
    async with open_store(_url(path)) as store, open_node(store) as node:
        board = await create_board(node)
        with _locked(path) as other:
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    await node.bus.execute(BOARD, _create(board))
            await store.ping()  # a read that succeeds does not end the failure of writes
            other.execute("ROLLBACK")
        await node.bus.execute(BOARD, _create(board))
        await node.bus.execute(BOARD, _create(board))
    lines = [record.message for record in caplog.records if "the database can" in record.message]
    assert lines == ["the database cannot be written: database is locked", "the database can be written again"]
