"""A store that cannot write, on a running server: commands are refused, subscribers continue, and it recovers."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from random import Random

import orjson
import pytest

from tests.faults.entry_points import (
    BATCH_BYTES,
    BOARD,
    Watcher,
    check_accepted_everywhere,
    check_refused_everywhere,
    watching,
)
from tests.faults.history import read_log
from tests.faults.judge import Judge
from tests.faults.processes import DATABASE, ManagedServer, managed_server
from tests.faults.received_events import place_of, state_text
from tests.faults.reporter import ATTEMPTS, Reporter, begin_board
from tests.faults.steps import Steps
from tests.faults.truth import Truth
from tests.faults.wanderer import EXITS
from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, exchange
from tests.kit.raw_socket import open_socket
from tests.kit.sse_reader import open_stream

_WAIT_UNITS = 40
_UNWATCHED = "unwatched"
_FLAGS = ("--heartbeat-seconds", "0.2", "--log-level", "error", "--shutdown-grace-seconds", "0.3")
_Fault = Callable[[ManagedServer], AbstractContextManager[None]]


@contextmanager
def _locked(server: ManagedServer) -> Iterator[None]:
    """Hold a lock in a transaction of another process."""
    with closing(sqlite3.connect(server.folder / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _full(server: ManagedServer, free_bytes: int = 0) -> Iterator[None]:
    """Let no file of the server grow by more than `free_bytes`, as on a full disk."""
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    limit = (server.folder / f"{DATABASE}-wal").stat().st_size + free_bytes
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (limit, before[1]))
    yield
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)


def _nearly_full(server: ManagedServer) -> AbstractContextManager[None]:
    """Leave space for a part of a batch."""
    return _full(server, BATCH_BYTES // 2)


def _everything(server: ManagedServer) -> list[str]:
    """Return the whole database, as another process sees it."""
    with closing(sqlite3.connect(server.folder / DATABASE)) as connection:
        return list(connection.iterdump())


async def _check_subscribers_go_on(address: Address, state: str) -> None:
    """Check that new subscribers get the current state, that a socket is answered, and that a stream has heartbeats."""
    for exit in EXITS["boardEvents"]:
        for board_id in (BOARD, _UNWATCHED):
            watcher = Watcher(exit, address, board_id)
            present = await watcher.begin()
            await watcher.subscriber.aclose()
            assert (present == state) == (board_id == BOARD)
    async with open_socket(address, f"/api/v1/ws?boardId={BOARD}") as socket:
        for _ in range(2 + len(ATTEMPTS)):
            await socket.receive_text()
        await socket.send_json({"type": "get_state"})
        assert state_text(orjson.loads(await socket.receive_text())["payload"]) == state
        await socket.send_json({"type": "ping"})
        assert orjson.loads(await socket.receive_text())["type"] == "pong"
    async with open_stream(address, f"/api/v1/sse?boardId={BOARD}") as stream:
        for _ in range(2 + len(ATTEMPTS)):
            await stream.event()
        assert (await stream.event())[0] == "heartbeat"


@pytest.mark.parametrize("fault", [_locked, _full, _nearly_full])
async def test_store_that_cannot_write_refuses_and_subscribers_go_on(fault: _Fault, tmp_path: Path) -> None:
    # No checkpoint: after a checkpoint SQLite starts the log again, and small writes would have space.
    async with (
        managed_server(tmp_path, *_FLAGS, busy_milliseconds=50, checkpoint_seconds=3600) as server,
        deadline(_WAIT_UNITS),
    ):
        reporter = Reporter([server], BOARD, Steps(), Random(1))
        # One of its cards is in Review, which makes its state differ from the other board's.
        done = {"boardId": _UNWATCHED, "attemptId": ATTEMPTS[0], "cardId": f"of-{ATTEMPTS[0]}", "status": "succeeded"}
        await reporter.report(*begin_board(_UNWATCHED), {"name": "attempt.completed", "payload": done})
        await reporter.report(*begin_board(BOARD))
        async with watching(server.address) as watchers:
            state = watchers["board-ws"].transcript.segments[0].state.words[0]
            before = _everything(server)
            with fault(server):
                await check_refused_everywhere(server.address, small_ones_too=fault is not _nearly_full)
                await _check_subscribers_go_on(server.address, state)
                assert (await exchange(server.address, "GET", "/api/v1/readyz")).status == 200
                assert _everything(server) == before
            await check_accepted_everywhere(server.address)
            await reporter.report({"name": "agent.registered", "payload": {"agent": "A", "label": "the end"}})
            log = await read_log(server.address, BOARD)
            truth = Truth(log, reporter.agents())
            offsets = [place_of(logged.cursor)[0] for logged in log]
            assert offsets == list(range(1, len(offsets) + 1))
            judge = Judge(truth)
            for exit, watcher in watchers.items():
                begun = watcher.transcript.segments[0].state.place
                await watcher.take(len(truth.between(begun, truth.due[-1].place)))
                judge.check(exit, watcher.transcript.segments, truth.due[-1].place)
    assert not [line for line in server.errors().splitlines() if "Traceback" in line], server.errors()
