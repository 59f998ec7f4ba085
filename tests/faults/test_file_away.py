"""A database file that is moved, removed, replaced or damaged while the server runs.

The server notices it before the next write. Every entry point reports it, and nothing is written meanwhile. When the
file is back, everything continues: subscribers receive exactly the events that they missed.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

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
from tests.kit.file_faults import FAULTS, HARMLESS, bytes_of, checkpointed, overwritten_by_itself_of_before
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import PING, PONG, RawSocket, open_socket

# These tests make many requests to servers in separate processes, so a busy machine needs longer than usual.
pytestmark = pytest.mark.timeout(240)

_WAIT_UNITS = 40
_FLAGS = ("--heartbeat-seconds", "0.2", "--shutdown-grace-seconds", "0.3")
_FOLDER = "database"


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
        reporter = Reporter([server], BOARD, Steps(), Random(1))
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


@pytest.mark.parametrize("name", FAULTS)
async def test_file_that_is_away_is_noticed_and_all_goes_on_when_it_is_back(name: str, tmp_path: Path) -> None:
    async with (
        _served(tmp_path) as (server, path, reporter),
        watching(server.address) as watchers,
        open_socket(server.address, f"/api/v1/ws?boardId={BOARD}") as socket,
    ):
        await _opened(socket)
        await checkpointed(path)
        undo = FAULTS[name](path)
        before = bytes_of(tmp_path)
        await socket.send_json({"type": "create_card", "payload": CARD})
        reply = await _answer(socket)
        texts = await check_file_refused_everywhere(server.address)
        assert bytes_of(tmp_path) == before
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


@pytest.mark.parametrize("name", HARMLESS)
async def test_harmless_change_of_a_file_stops_nothing(name: str, tmp_path: Path) -> None:
    async with _served(tmp_path) as (server, path, reporter), watching(server.address) as watchers:
        if name == "log-cut":
            await checkpointed(path)
        HARMLESS[name](path)
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
        await checkpointed(path)
        size = path.stat().st_size
        for length in (size + 100, size, size + 50_000, size):
            os.truncate(path, length)
            assert (await exchange(server.address, "GET", "/api/v1/readyz")).status == 200
        await check_accepted_everywhere(server.address)


async def test_server_that_stops_leaves_what_others_have_put_there(tmp_path: Path) -> None:
    async with _served(tmp_path) as (server, path, _):
        await checkpointed(path)
        overwritten_by_itself_of_before(path)
        before = path.read_bytes()
        assert (await exchange(server.address, "GET", "/api/v1/readyz")).status == 503
        await server.end(signal.SIGTERM)
        assert path.read_bytes() == before
