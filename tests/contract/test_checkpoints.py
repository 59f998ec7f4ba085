"""Checkpoints of a SQLite file: they run while other connections write, and one may fail."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection, text

from realtime.backends.sql import sqlite
from realtime.backends.sql.connections import Connections
from realtime.backends.sql.engine import make_engine, parse_url
from realtime.backends.sql.file import checkpoints
from realtime.backends.sql.file.checkpoints import Checkpoints
from realtime.backends.sql.sqlite import Sqlite
from tests.kit.deadline import deadline
from tests.kit.full_disk import full_disk

_KEY = "marker"
_GROW = text("UPDATE meta SET value = :value")


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[Sqlite]:
    database = Sqlite(parse_url(_url(path)))
    try:
        await database.open()
        yield database
    finally:
        await database.aclose()


@asynccontextmanager
async def _checkpoints(path: Path, database: Sqlite) -> AsyncIterator[Checkpoints]:
    """Make checkpoints in parallel with those of `database`. They share its guard."""
    connections = Connections(make_engine(parse_url(_url(path)), connections=1, immediate=False), 1)
    made = Checkpoints(connections, database.guard)
    try:
        yield made
    finally:
        await made.aclose()


def _put(connection: Connection, value: str = "") -> None:
    connection.execute(text("INSERT INTO meta (key, value) VALUES (:key, :value)"), {"key": _KEY, "value": value})


def _has_row(connection: Connection) -> bool:
    return bool(connection.execute(text("SELECT key FROM meta WHERE key = :key"), {"key": _KEY}).all())


def _is_in_file(path: Path) -> bool:
    """Return whether the file without its log contains the row."""
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as alone:
        try:
            return bool(alone.execute("SELECT key FROM meta WHERE key = ?", (_KEY,)).fetchall())
        except sqlite3.DatabaseError:
            # no table yet, or only a part of a checkpoint: without its log the file is not a valid database then
            return False


async def _expect_in_file(path: Path) -> None:
    async with deadline(10):
        while not _is_in_file(path):
            await anyio.lowlevel.checkpoint()


async def test_commit_is_followed_by_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0.0)
    path = tmp_path / "b.db"
    async with _opened(path) as database:
        await database.write(_put)
        await _expect_in_file(path)


async def test_commit_of_a_caller_that_has_gone_is_followed_by_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0.0)
    path = tmp_path / "b.db"
    async with _opened(path) as database, deadline(10):
        caller = asyncio.create_task(database.write(_put))
        await anyio.lowlevel.checkpoint()  # by now the thread has it
        caller.cancel()
        await asyncio.wait([caller])
        await _expect_in_file(path)


async def test_commit_that_finds_a_long_log_makes_one_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 3600.0)
    path = tmp_path / "b.db"
    async with _opened(path) as database, deadline(10):
        monkeypatch.setattr(sqlite, "LONG_LOG_BYTES", 1 << 20)
        await database.write(_put)
        assert not _is_in_file(path)
        await database.write(lambda connection: connection.execute(_GROW, {"value": "x" * (2 << 20)}))
        await database.write(lambda connection: connection.execute(_GROW, {"value": "y"}))
        assert _is_in_file(path)
        assert await database.read(_has_row)


async def test_checkpoint_is_made_while_somebody_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 3600.0)
    path, may_end = tmp_path / "b.db", threading.Event()
    async with (
        _opened(path) as database,
        _checkpoints(path, database) as made,
        deadline(10),
        anyio.create_task_group() as group,
    ):
        await database.write(_put)
        assert not _is_in_file(path)
        has_begun = anyio.Event()
        token = anyio.lowlevel.current_token()

        def write_on(connection: Connection) -> None:
            connection.execute(text("UPDATE meta SET value = 'other'"))
            anyio.from_thread.run_sync(has_begun.set, token=token)
            assert may_end.wait(10)

        group.start_soon(database.write, write_on)
        await has_begun.wait()
        await made.make()
        assert _is_in_file(path)
        may_end.set()


async def test_failed_checkpoint_is_logged_and_repeated(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 3600.0)
    path = tmp_path / "b.db"
    async with _opened(path) as database, _checkpoints(path, database) as made, deadline(10):
        await made.make()
        await database.write(lambda connection: _put(connection, "x" * 100_000))
        monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0.0)
        with full_disk(path.stat().st_size):
            made.start()
            made.note_commit()
            while "no checkpoint could be made" not in caplog.text:
                await anyio.lowlevel.checkpoint()
            assert not _is_in_file(path)
            assert await database.read(_has_row)
        while not _is_in_file(path):  # there is no writer any more
            await anyio.lowlevel.checkpoint()
