"""A store whose files are moved, removed, replaced or damaged: it writes nothing until they are back, then goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from realtime.backends.sql.file import checkpoints
from realtime.backends.sql.file.checkpoints import Checkpoints
from realtime.backends.sql.file.database_file import DatabaseFile
from realtime.backends.sql.store import SqlStore
from realtime.errors import StoreUnavailable
from realtime.node import Node
from tests.kit.deadline import deadline
from tests.kit.file_faults import FAULTS, HARMLESS, bytes_of, checkpointed, overwritten_by_itself_of_before
from tests.kit.nodes import create_board, open_node

_WAIT_UNITS = 20
_MOVED = r"^the database file b\.db was moved or removed$"
_REPLACED = r"^the database file b\.db was replaced by another one; start anew to serve that one$"
_DAMAGED = r"^the database file b\.db (is damaged|was written into by somebody else)"
_LOG_REPLACED = r"^b\.db-wal, a part of the database, was replaced by another file$"
#: What the store says of a fault, if it is not that the file is damaged.
_REASONS = {
    **dict.fromkeys(("moved", "removed", "folder-moved", "folder-removed"), _MOVED),
    **dict.fromkeys(("another", "empty", "folder-instead", "older"), _REPLACED),
    "log-replaced": _LOG_REPLACED,
    **dict.fromkeys(("log-overwritten", "log-header", "log-pages"), rf"written into by somebody else$|{_DAMAGED}"),
}


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[Checkpoints]:
    """Have checkpoints made at once; return those of the stores that were opened, the oldest first."""
    found: list[Checkpoints] = []
    start = Checkpoints.start

    def started(self: Checkpoints) -> None:
        found.append(self)
        start(self)

    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(Checkpoints, "start", started)
    return found


@asynccontextmanager
async def _opened(path: Path) -> AsyncIterator[SqlStore]:
    store = SqlStore(f"sqlite:///{path}", exclusive=True)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def _stored(tmp_path: Path) -> AsyncIterator[tuple[SqlStore, Node, Path]]:
    """Open a store in a folder of its own; the main file has the board "first"."""
    path = tmp_path / "folder" / "b.db"
    path.parent.mkdir()
    async with deadline(_WAIT_UNITS), _opened(path) as store, open_node(store) as node:
        await create_board(node, "first")
        await checkpointed(path)
        yield store, node, path


def _age(path: Path) -> None:
    """Give the files another time than that of the last checkpoint, which may lie in the same tick of the clock."""
    for file in (path, path.with_name(f"{path.name}-wal")):
        if file.is_file():
            changed = file.stat().st_mtime_ns + 1_000_000_000
            os.utime(file, ns=(changed, changed))


async def _boards(path: Path) -> list[str]:
    """Return the boards that a new process finds in the files, which must be free."""
    async with _opened(path) as store:
        return [project.id for project in await store.projects()]


@pytest.mark.parametrize("name", FAULTS)
async def test_nothing_is_written_until_the_files_are_back(name: str, tmp_path: Path) -> None:
    async with _stored(tmp_path) as (store, node, path):
        undo = FAULTS[name](path)
        _age(path)
        before = bytes_of(tmp_path)
        # The second time, a reason that took reading the whole file is known.
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match=_REASONS.get(name, _DAMAGED)):
                await create_board(node, "refused")
        with pytest.raises(StoreUnavailable):
            await store.ping()
        assert bytes_of(tmp_path) == before
        undo()
        await create_board(node, "second")
    assert await _boards(path) == ["first", "second"]


@pytest.mark.parametrize("name", HARMLESS)
async def test_harmless_change_stops_nothing(name: str, tmp_path: Path, started: list[Checkpoints]) -> None:
    async with _stored(tmp_path) as (store, node, path):
        # A checkpoint reads the index of the log at its end. SIGBUS ends a process that reads an index while it is cut.
        async with started[0].connections.all_taken():
            HARMLESS[name](path)
        await store.ping()
        await create_board(node, "second")
    assert await _boards(path) == ["first", "second"]


async def test_history_that_another_tool_has_changed_is_refused(tmp_path: Path) -> None:
    async with _stored(tmp_path) as (_, node, path):
        with closing(sqlite3.connect(path)) as tool, tool:
            tool.execute("DELETE FROM events")
        with pytest.raises(StoreUnavailable, match="has another history than it had; start anew to serve that one"):
            await create_board(node, "second")


async def test_store_that_closes_leaves_what_others_have_put_there(tmp_path: Path) -> None:
    async with _stored(tmp_path) as (store, _, path):
        overwritten_by_itself_of_before(path)
        _age(path)
        before = path.read_bytes()
        with pytest.raises(StoreUnavailable):
            await store.ping()
    assert path.read_bytes() == before


async def test_copy_that_another_owner_has_locked_is_not_opened_but_the_lost_file_is(tmp_path: Path) -> None:
    async with _stored(tmp_path) as (store, node, path):
        lost = path.rename(path.with_name("lost.db"))
        shutil.copyfile(lost, path)
        with (
            closing(DatabaseFile.claim(path)),
            pytest.raises(StoreUnavailable, match=r"^the database file b\.db cannot be opened again$"),
        ):
            await store.ping()
        lost.replace(path)
        await create_board(node, "second")
    assert await _boards(path) == ["first", "second"]
