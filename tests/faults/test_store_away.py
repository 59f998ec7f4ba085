"""A store that cannot write, on a server that runs: commands are refused, readers go on, and it recovers by itself."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from tests.clients.operations import read_operation
from tests.equivalence.mapping import Json
from tests.equivalence.reader import Reader
from tests.faults.accounts import Accounts
from tests.faults.copies import Copy
from tests.faults.history import read_log
from tests.faults.judge import Judge
from tests.faults.processes import DATABASE, Life, living
from tests.faults.reporter import ATTEMPTS, Reporter, begin_board
from tests.faults.steps import Steps
from tests.faults.telling import place_of, state_said, told
from tests.faults.truth import Truth
from tests.faults.wanderer import EXITS, make_reader
from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, Answer, exchange
from tests.kit.raw_socket import open_socket
from tests.kit.sse_reader import open_stream

_WAIT_UNITS = 40
_BOARD, _UNWATCHED = "board", "unwatched"
_FLAGS = ("--heartbeat-seconds", "0.2", "--log-level", "error", "--shutdown-grace-seconds", "0.3")
_CARD = {"columnId": "todo", "title": "asked for"}
_BATCH_BYTES = 400_000
_Fault = Callable[[Life], AbstractContextManager[None]]


@contextmanager
def _locked(life: Life) -> Iterator[None]:
    """Let another process's transaction stand in the way."""
    with closing(sqlite3.connect(life.folder / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def _full(life: Life, free_bytes: int = 0) -> Iterator[None]:
    """Let no file of the server grow by more than `free_bytes`, as on a disk that is full."""
    before = resource.prlimit(life.pid, resource.RLIMIT_FSIZE)
    limit = (life.folder / f"{DATABASE}-wal").stat().st_size + free_bytes
    resource.prlimit(life.pid, resource.RLIMIT_FSIZE, (limit, before[1]))
    yield
    resource.prlimit(life.pid, resource.RLIMIT_FSIZE, before)


def _nearly_full(life: Life) -> AbstractContextManager[None]:
    """Let a batch be written in part."""
    return _full(life, _BATCH_BYTES // 2)


def _everything(life: Life) -> list[str]:
    """Return the whole database, as another process sees it."""
    with closing(sqlite3.connect(life.folder / DATABASE)) as connection:
        return list(connection.iterdump())


def _events() -> list[Json]:
    line = {"boardId": _BOARD, "attemptId": "a", "level": "info", "message": "x" * (_BATCH_BYTES // 10)}
    return [
        {"name": "agent.registered", "payload": {"agent": "of a batch"}},
        *[{"name": "attempt.log.appended", "payload": line}] * 10,
    ]


async def _rest(address: Address, method: str, target: str, body: object) -> Answer:
    return await exchange(address, method, f"/api/v1/{target}", orjson.dumps(body))


async def _mutate(address: Address, operation: str, **variables: object) -> Json:
    body = orjson.dumps({"query": read_operation(operation), "variables": variables})
    answer: Any = (await exchange(address, "POST", "/graphql", body)).json()
    result: Json = answer
    return result


async def _command(address: Address) -> Json:
    """Send a command over a socket of its own; return the reply to it, else what the board became."""
    async with open_socket(address, f"/api/v1/ws?boardId={_BOARD}") as socket:
        for _ in range(2 + len(ATTEMPTS)):
            await socket.receive_text()
        await socket.send_json({"type": "create_card", "payload": _CARD})
        reply: Json = orjson.loads(await socket.receive_text())
        return reply


async def _check_refused_everywhere(address: Address, *, small_ones_too: bool) -> None:
    """Knock at every door. Where a little can be written, only what is large is refused."""
    refused = [await _rest(address, "POST", "events", _events())]
    mutated = [await _mutate(address, "PublishEvents", events=_events())]
    if small_ones_too:
        refused.append(await _rest(address, "POST", f"boards/{_BOARD}/cards", _CARD))
        refused.append(await _rest(address, "PATCH", f"boards/{_BOARD}/cards/of-{ATTEMPTS[0]}", {"title": "x"}))
        refused.append(await _rest(address, "PATCH", f"attempts/{ATTEMPTS[0]}", {"status": "stopped"}))
        refused.append(await _rest(address, "POST", "projects", {"name": "n", "repositoryPath": "/p"}))
        mutated.append(await _mutate(address, "CreateCard", boardId=_BOARD, input=_CARD))
        reply = await _command(address)
        assert (reply["type"], reply["payload"]["command"]) == ("error", "create_card")
        assert reply["payload"]["code"] == "store_unavailable"
    for answer in refused:
        assert (answer.status, answer.header("Content-Type")) == (503, "application/problem+json"), answer
        assert answer.header("Retry-After") == "1"
    for result in mutated:
        assert [error["extensions"]["code"] for error in result["errors"]] == ["STORE_UNAVAILABLE"], result


async def _check_accepted_everywhere(address: Address) -> None:
    assert (await _command(address))["type"] == "state"
    assert (await _rest(address, "POST", f"boards/{_BOARD}/cards", _CARD)).status == 201
    assert (await _rest(address, "POST", "projects", {"name": "n", "repositoryPath": "/p"})).status == 201
    assert "errors" not in await _mutate(address, "CreateCard", boardId=_BOARD, input=_CARD)
    assert (await _rest(address, "PATCH", f"attempts/{ATTEMPTS[0]}", {"status": "stopped"})).status == 200


class _Watcher:
    """A reader that stays."""

    def __init__(self, exit: str, address: Address, board_id: str = _BOARD) -> None:
        self.reader: Reader = make_reader(exit, address, board_id=board_id)
        self.copy = Copy()
        self.accounts = Accounts()

    async def begin(self) -> str:
        """Read the present; return the state."""
        await self.reader.open()
        self.accounts.connected(None, told(await self.reader.event(), self.copy))
        await self.take(1 + len(ATTEMPTS))
        return self.accounts.all[0].state.words[0]

    async def take(self, count: int) -> None:
        for _ in range(count):
            self.accounts.take(told(await self.reader.event(), self.copy))


@asynccontextmanager
async def _watching(address: Address) -> AsyncIterator[dict[str, _Watcher]]:
    """Watch the board at every exit for the length of the block."""
    watchers = {exit: _Watcher(exit, address) for exit in EXITS["boardEvents"]}
    try:
        for watcher in watchers.values():
            await watcher.begin()
        yield watchers
    finally:
        for watcher in watchers.values():
            await watcher.reader.aclose()


async def _check_readers_go_on(address: Address, state: str) -> None:
    """See that who comes is told the present, that a socket is answered, and that a stream shows signs of life."""
    for exit in EXITS["boardEvents"]:
        for board_id in (_BOARD, _UNWATCHED):
            watcher = _Watcher(exit, address, board_id)
            present = await watcher.begin()
            await watcher.reader.aclose()
            assert (present == state) == (board_id == _BOARD)
    async with open_socket(address, f"/api/v1/ws?boardId={_BOARD}") as socket:
        for _ in range(2 + len(ATTEMPTS)):
            await socket.receive_text()
        await socket.send_json({"type": "get_state"})
        assert state_said(orjson.loads(await socket.receive_text())["payload"]) == state
        await socket.send_json({"type": "ping"})
        assert orjson.loads(await socket.receive_text())["type"] == "pong"
    async with open_stream(address, f"/api/v1/sse?boardId={_BOARD}") as stream:
        for _ in range(2 + len(ATTEMPTS)):
            await stream.event()
        assert (await stream.event())[0] == "heartbeat"


@pytest.mark.parametrize("fault", [_locked, _full, _nearly_full])
async def test_store_that_cannot_write_refuses_and_readers_go_on(fault: _Fault, tmp_path: Path) -> None:
    async with living(tmp_path, *_FLAGS, busy_milliseconds=50) as life, deadline(_WAIT_UNITS):
        reporter = Reporter(life, _BOARD, Steps(), Random(1))
        # One of its cards goes to Review: that tells its state from the other's.
        done = {"boardId": _UNWATCHED, "attemptId": ATTEMPTS[0], "cardId": f"of-{ATTEMPTS[0]}", "status": "succeeded"}
        await reporter.report(*begin_board(_UNWATCHED), {"name": "attempt.completed", "payload": done})
        await reporter.report(*begin_board(_BOARD))
        async with _watching(life.address) as watchers:
            state = watchers["board-ws"].accounts.all[0].state.words[0]
            before = _everything(life)
            with fault(life):
                await _check_refused_everywhere(life.address, small_ones_too=fault is not _nearly_full)
                await _check_readers_go_on(life.address, state)
                assert (await exchange(life.address, "GET", "/api/v1/readyz")).status == 200
                assert _everything(life) == before
            await _check_accepted_everywhere(life.address)
            await reporter.report({"name": "agent.registered", "payload": {"agent": "A", "label": "the end"}})
            log = await read_log(life.address, _BOARD)
            truth = Truth(log, reporter.agents())
            offsets = [place_of(logged.cursor)[0] for logged in log]
            assert offsets == list(range(1, len(offsets) + 1))
            judge = Judge(truth)
            for exit, watcher in watchers.items():
                begun = watcher.accounts.all[0].state.place
                await watcher.take(len(truth.between(begun, truth.due[-1].place)))
                judge.hear(exit, watcher.accounts.all, truth.due[-1].place)
    assert not [line for line in life.errors().splitlines() if "Traceback" in line], life.errors()
