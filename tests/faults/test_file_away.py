"""A database file that is moved, removed, replaced or damaged while the server runs.

The server notices it before the next write. Every entry point reports it, and nothing is written meanwhile. When the
file is back, everything continues: subscribers receive exactly the events that they missed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random

import anyio
import orjson
import pytest

from tests.equivalence.mapping import Json
from tests.faults.entry_points import (
    BOARD,
    CARD,
    Watcher,
    check_accepted_everywhere,
    check_file_refused_everywhere,
    watching,
)
from tests.faults.history import read_log
from tests.faults.judge import Judge
from tests.faults.processes import DATABASE, ManagedServer, managed_server
from tests.faults.received_events import place_of
from tests.faults.reporter import ATTEMPTS, Reporter, begin_board
from tests.faults.steps import Steps
from tests.faults.truth import Truth
from tests.kit.deadline import deadline
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import PING, PONG, RawSocket, open_socket

# These tests make many requests to servers in separate processes, so a busy machine needs longer than usual.
pytestmark = pytest.mark.timeout(240)

_WAIT_UNITS = 40
_FLAGS = ("--heartbeat-seconds", "0.2", "--shutdown-grace-seconds", "0.3")
_FOLDER = "database"
_Undo = Callable[[], None]
#: Damages the file at a path; returns the function that repairs it.
_Fault = Callable[[Path], _Undo]


def _copied(path: Path) -> Path:
    """Copy a file to a place outside of the database's folder; return the path of the copy."""
    copy = path.parent.parent / f"copy-of-{path.name}"
    shutil.copyfile(path, copy)
    return copy


def _moved(path: Path) -> _Undo:
    away = path.rename(path.with_name("away.db"))
    return lambda: _void(away.rename(path))


def _removed_and_copied_back(path: Path) -> _Undo:
    copy = _copied(path)
    path.unlink()
    return lambda: _void(shutil.copyfile(copy, path))


def _folder_moved(path: Path) -> _Undo:
    away = path.parent.rename(path.parent.with_name("away"))
    return lambda: _void(away.rename(path.parent))


def _folder_removed_and_copied_back(path: Path) -> _Undo:
    copy = Path(shutil.copytree(path.parent, path.parent.with_name("copy")))
    shutil.rmtree(path.parent)
    return lambda: _void(shutil.copytree(copy, path.parent))


def _replaced_by_another(path: Path) -> _Undo:
    back = _moved(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE cards (colour TEXT)")
    return back


def _replaced_by_an_empty_file(path: Path) -> _Undo:
    back = _moved(path)
    path.touch()
    return back


def _replaced_by_a_folder(path: Path) -> _Undo:
    back = _moved(path)
    path.mkdir()

    def undo() -> None:
        path.rmdir()
        back()

    return undo


def _replaced_by_itself_of_before(path: Path) -> _Undo:
    """Put a valid database of the same epoch in its place, with a different history."""
    copy = _older(path)
    back = _moved(path)
    shutil.copyfile(copy, path)
    return back


def _overwritten_by_itself_of_before(path: Path) -> _Undo:
    older, copy = _older(path), _copied(path)
    shutil.copyfile(older, path)
    return lambda: _void(shutil.copyfile(copy, path))


def _older(path: Path) -> Path:
    """Return a copy of the database without the last event."""
    copy = path.parent.parent / "older.db"
    with closing(sqlite3.connect(path)) as now, closing(sqlite3.connect(copy)) as older:
        now.backup(older)
        with older:
            older.execute("DELETE FROM events WHERE sequence = (SELECT max(sequence) FROM events)")
        older.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return copy


def _overwritten(place: int, rubbish: bytes) -> _Fault:
    def fault(path: Path) -> _Undo:
        copy = _copied(path)
        with path.open("r+b") as file:
            file.seek(place)
            file.write(rubbish)
        return lambda: _void(shutil.copyfile(copy, path))

    return fault


def _cut_to(length: int) -> _Fault:
    def fault(path: Path) -> _Undo:
        copy = _copied(path)
        os.truncate(path, length)
        return lambda: _void(shutil.copyfile(copy, path))

    return fault


def _log_replaced(path: Path) -> _Undo:
    log = path.with_name(f"{path.name}-wal")
    away = log.rename(log.with_name("away"))
    log.write_bytes(b"no log")
    return lambda: _void(away.replace(log))


def _log_overwritten(place: int, rubbish: bytes) -> _Fault:
    """Overwrite as much of the log as exists."""

    def fault(path: Path) -> _Undo:
        log = path.with_name(f"{path.name}-wal")
        copy = _copied(log)
        with log.open("r+b") as file:
            file.seek(place)
            file.write(rubbish[: log.stat().st_size - place])

        def undo() -> None:
            # In place, because the server has the file open.
            with log.open("r+b") as file:
                file.write(copy.read_bytes())

        return undo

    return fault


def _void(_: object) -> None:
    """Discard the result of a library function."""


_RUBBISH = Random(1).randbytes(40_000)
_FAULTS: dict[str, _Fault] = {
    "moved": _moved,
    "removed": _removed_and_copied_back,
    "folder-moved": _folder_moved,
    "folder-removed": _folder_removed_and_copied_back,
    "another": _replaced_by_another,
    "empty": _replaced_by_an_empty_file,
    "folder-instead": _replaced_by_a_folder,
    "older": _replaced_by_itself_of_before,
    "older-in-place": _overwritten_by_itself_of_before,
    "header": _overwritten(0, _RUBBISH[:100]),
    "pages": _overwritten(4096, _RUBBISH),
    "cut-to-nothing": _cut_to(0),
    "cut-to-a-part-of-a-page": _cut_to(5000),
    "log-replaced": _log_replaced,
    "log-overwritten": _log_overwritten(0, _RUBBISH),
    "log-header": _log_overwritten(0, _RUBBISH[:32]),
    "log-pages": _log_overwritten(32 + 24, _RUBBISH),
}


def _part_removed(*kinds: str) -> _Fault:
    def fault(path: Path) -> _Undo:
        for kind in kinds:
            path.with_name(f"{path.name}-{kind}").unlink()
        return lambda: None

    return fault


def _part_cut(kind: str) -> _Fault:
    def fault(path: Path) -> _Undo:
        os.truncate(path.with_name(f"{path.name}-{kind}"), 0)
        return lambda: None

    return fault


def _touched(path: Path) -> _Undo:
    path.touch()
    return lambda: None


def _checkpoint_made(path: Path) -> _Undo:
    with closing(sqlite3.connect(path)) as tool:
        tool.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return lambda: None


_HARMLESS: dict[str, _Fault] = {
    "log-removed": _part_removed("wal"),
    "index-removed": _part_removed("shm"),
    "both-removed": _part_removed("wal", "shm"),
    "index-cut": _part_cut("shm"),
    "log-cut": _part_cut("wal"),
    "touched": _touched,
    "checkpoint-of-a-tool": _checkpoint_made,
}


def _bytes_of(folder: Path) -> dict[str, bytes]:
    """Return the contents of the database files, wherever they are, without the shared index of SQLite."""
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file() and _is_part(file)}


def _is_part(file: Path) -> bool:
    return not file.name.endswith("-shm") and file.name != "errors.txt"


async def _checkpointed(path: Path) -> None:
    """Return when the main file has everything that is in the log (https://sqlite.org/walformat.html, 2.1)."""
    shared = path.with_name(f"{path.name}-shm")
    while True:
        index = shared.read_bytes()[:136]
        logged, carried = struct.unpack_from("=I", index, 16)[0], struct.unpack_from("=I", index, 96)[0]
        if logged == carried > 0:
            return
        await anyio.lowlevel.checkpoint()


async def _answer(socket: RawSocket) -> Json:
    """Return the next message, and answer the pings before it."""
    while (frame := await socket.receive()).opcode == PING:
        await socket.send_frame(PONG, frame.payload)
    answer: Json = orjson.loads(frame.text)
    return answer


@asynccontextmanager
async def _served(tmp_path: Path) -> AsyncIterator[tuple[ManagedServer, Path, Reporter]]:
    folder = tmp_path / _FOLDER
    folder.mkdir()
    path = folder / DATABASE
    flags = (*_FLAGS, "--database-url", f"sqlite:///{path}")
    async with managed_server(tmp_path, *flags, checkpoint_seconds=0.1) as server, deadline(_WAIT_UNITS):
        reporter = Reporter(server, BOARD, Steps(), Random(1))
        await reporter.report(*begin_board(BOARD))
        yield server, path, reporter


async def _opened(socket: RawSocket) -> None:
    for _ in range(2 + len(ATTEMPTS)):
        await socket.receive_text()


def _check_no_inside(texts: list[str], folder: Path) -> None:
    for text in texts:
        assert not re.search(r"SELECT|INSERT|UPDATE|PRAGMA|BEGIN|sqlalche|sqlite3", text), text
        assert str(folder) not in text, text


async def _judged(server: ManagedServer, reporter: Reporter, watchers: dict[str, Watcher]) -> None:
    """Check that each client received every event of the log, once and in order."""
    log = await read_log(server.address, BOARD)
    offsets = [place_of(logged.cursor)[0] for logged in log]
    assert offsets == list(range(1, len(offsets) + 1))
    truth = Truth(log, reporter.agents())
    judge = Judge(truth)
    for exit, watcher in watchers.items():
        begun = watcher.transcript.segments[0].state.place
        await watcher.take(len(truth.between(begun, truth.due[-1].place)))
        judge.check(exit, watcher.transcript.segments, truth.due[-1].place)


@pytest.mark.parametrize("name", _FAULTS)
async def test_file_that_is_away_is_noticed_and_all_goes_on_when_it_is_back(name: str, tmp_path: Path) -> None:
    async with (
        _served(tmp_path) as (server, path, reporter),
        watching(server.address) as watchers,
        open_socket(server.address, f"/api/v1/ws?boardId={BOARD}") as socket,
    ):
        await _opened(socket)
        await _checkpointed(path)
        undo = _FAULTS[name](path)
        before = _bytes_of(tmp_path)
        await socket.send_json({"type": "create_card", "payload": CARD})
        reply = await _answer(socket)
        texts = await check_file_refused_everywhere(server.address)
        assert _bytes_of(tmp_path) == before
        assert (reply["type"], reply["payload"]["code"]) == ("error", "store_unavailable")
        _check_no_inside([*texts, str(reply)], tmp_path)
        undo()
        await check_accepted_everywhere(server.address)
        assert (await exchange(server.address, "GET", "/api/v1/readyz")).status == 200
        await reporter.report({"name": "agent.registered", "payload": {"agent": "A", "label": "the end"}})
        await _judged(server, reporter, watchers)
        log, errors = await read_log(server.address, BOARD), server.errors()
        await server.restart(signal.SIGKILL)
        assert await read_log(server.address, BOARD) == log
    assert "Traceback" not in errors, errors
    assert errors.count("the database cannot be used") == errors.count("the database is back") == 1, errors


@pytest.mark.parametrize("name", _HARMLESS)
async def test_harmless_change_of_a_file_stops_nothing(name: str, tmp_path: Path) -> None:
    async with _served(tmp_path) as (server, path, reporter), watching(server.address) as watchers:
        if name == "log-cut":
            await _checkpointed(path)
        _HARMLESS[name](path)
        await check_accepted_everywhere(server.address)
        await reporter.report({"name": "agent.registered", "payload": {"agent": "A", "label": "the end"}})
        await _judged(server, reporter, watchers)
        before = await read_log(server.address, BOARD)
        errors = server.errors()
        await server.restart(signal.SIGKILL)
        assert await read_log(server.address, BOARD) == before
    assert "Traceback" not in errors, errors


async def test_rubbish_after_the_last_page_may_come_and_go(tmp_path: Path) -> None:
    async with _served(tmp_path) as (server, path, _):
        await _checkpointed(path)
        size = path.stat().st_size
        for length in (size + 100, size, size + 50_000, size):
            os.truncate(path, length)
            assert (await exchange(server.address, "GET", "/api/v1/readyz")).status == 200
        await check_accepted_everywhere(server.address)


async def test_server_that_stops_leaves_what_others_have_put_there(tmp_path: Path) -> None:
    async with _served(tmp_path) as (server, path, _):
        await _checkpointed(path)
        _overwritten_by_itself_of_before(path)
        before = path.read_bytes()
        assert (await exchange(server.address, "GET", "/api/v1/readyz")).status == 503
        await server.end(signal.SIGTERM)
        assert path.read_bytes() == before
