"""Unfinished requests have a deadline, connections are counted, and nothing of them remains."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import anyio
import orjson
import pytest

from server.connection.http_connection import HttpConnection
from server.connection.http_cycle import Cycle
from server.connection.websocket_connection import WebSocketConnection
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import Connection, connect, exchange
from tests.live.boards import BOARD, make_boards
from tests.live.command import running
from tests.live.exits import open_exit, opening_request

_WAIT_UNITS = 20
_SECONDS = 0.3
_POST = b"POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_HEALTH = b"GET /api/v1/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
_HANDSHAKE = opening_request(f"/api/v1/ws?boardId={BOARD}")


async def _status_before_the_end(connection: Connection) -> int | None:
    """Return the status of the only answer before the server closes; None if it closes without one."""
    answer = await connection.read_to_end()
    return int(answer[9:12]) if answer else None


async def _takes(connection: Connection, data: bytes) -> bool:
    """Send `data` and return whether the connection is still open."""
    try:
        await connection.send(data)
    except anyio.BrokenResourceError:
        return False
    return True


async def _check_gone(live: LiveServer) -> None:
    """Wait until the server has no connection, and no task that served one."""
    state = live.server.server_state
    async with deadline(_WAIT_UNITS):
        while state.connections or state.tasks:
            await anyio.lowlevel.checkpoint()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", None),
        (b"G", 408),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", 408),
        (_HANDSHAKE[:-2], 408),
        (_POST + b"Content-Length: 9\r\n\r\n", 408),
        (_POST + b"Content-Length: 9\r\n\r\n{}", 408),
        (_POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{", 408),
        (_POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nA: b\r\n", 408),
    ],
    ids=["nothing", "byte", "head", "handshake", "no-body", "counted", "chunked", "trailers"],
)
async def test_unfinished_request_is_ended(sent: bytes, status: int | None, clean_log: None) -> None:
    async with live_server(head_timeout_seconds=_SECONDS, body_timeout_seconds=_SECONDS) as live:
        async with deadline(_WAIT_UNITS), connect(live.address) as connection:
            await connection.send(sent)
            assert await _status_before_the_end(connection) == status
        await _check_gone(live)


@pytest.mark.parametrize(
    "begin", [b"GET / HTTP/1.1\r\nA: ", _POST + b"Content-Length: 999999\r\n\r\n"], ids=["head", "body"]
)
async def test_request_that_comes_byte_by_byte_is_ended(begin: bytes, clean_log: None) -> None:
    async with (
        live_server(head_timeout_seconds=_SECONDS, body_timeout_seconds=_SECONDS) as live,
        deadline(_WAIT_UNITS),
        connect(live.address) as connection,
        connect(live.address) as clock,
    ):
        await connection.send(begin)
        while await _takes(connection, b"a"):
            # Several requests: each byte of a body adds a 1024th of a second to its time.
            for _ in range(8):
                await clock.send(_HEALTH)
                await clock.read_body(await clock.read_head())
        assert not await _takes(connection, b"a")


async def test_second_request_has_a_deadline_too(clean_log: None) -> None:
    async with (
        live_server(head_timeout_seconds=_SECONDS) as live,
        deadline(_WAIT_UNITS),
        connect(live.address) as connection,
    ):
        await connection.send(_HEALTH + _HEALTH[:-2])
        assert (await connection.read_body(await connection.read_head())) == b'{"ok":true}'
        assert await _status_before_the_end(connection) == 408


async def test_open_streams_outlive_the_deadlines(clean_log: None) -> None:
    async with (
        live_server(head_timeout_seconds=_SECONDS, body_timeout_seconds=_SECONDS) as live,
        AsyncExitStack() as stack,
    ):
        await make_boards(live.address)
        subscribers = [
            await open_exit(name, await stack.enter_async_context(connect(live.address)))
            for name in ("board-sse", "board-ws", "graphql-ws", "graphql-sse")
        ]
        async with deadline(_WAIT_UNITS):
            async with connect(live.address) as connection:
                await connection.read_to_end()  # longer than any deadline
            await Publisher(live.address).mark("still there")
            for subscriber in subscribers:
                assert (await subscriber.event())[0] in {"agent_registered", "AgentRegistered"}


async def test_client_that_does_not_read_its_answer_is_cut(clean_log: None) -> None:
    async with live_server(send_timeout_seconds=_SECONDS) as live, deadline(_WAIT_UNITS):
        await Publisher(live.address).publish(
            event("project.created", {"projectId": BOARD, "name": "P", "repositoryPath": "/x"})
        )
        cards = {f"c{number}": {"id": f"c{number}", "title": "x", "description": "x" * 60_000} for number in range(12)}
        column = {"id": "c", "title": "Backlog", "cardIds": list(cards)}
        state = {"columns": {"c": column}, "columnOrder": ["c"], "cards": cards}
        await Publisher(live.address).publish(event("board.state.changed", {"boardId": BOARD, "state": state}))
        async with connect(live.address, 4096) as connection:
            await connection.send(f"GET /api/v1/boards/{BOARD} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 20)
            await _check_gone(live)


@pytest.mark.parametrize("settings", [{"max_connections": 2}, {"max_connections_per_client": 2}], ids=str)
async def test_connection_too_many_is_503_until_another_ends(
    settings: dict[str, int], clean_log: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "server.connection")
    async with live_server(**settings) as live, deadline(_WAIT_UNITS):
        async with connect(live.address) as socket, connect(live.address) as reused:
            await socket.send(opening_request("/api/v1/ws/dashboard"))
            assert (await socket.read_head()).status == 101
            await reused.send(_HEALTH)
            await reused.read_body(await reused.read_head())
            for sent in (b"", _HEALTH, _HANDSHAKE):
                async with connect(live.address) as refused:
                    await refused.send(sent)
                    head = await refused.read_head()
                    assert (head.status, head.header("Content-Type")) == (503, "application/problem+json")
                    assert head.header("Retry-After")
                    await refused.read_to_end()
            lines = [line for line in caplog.messages if line.startswith("a connection from 127.0.0.1 is refused")]
            assert len(lines) == 3
            await reused.send(_HEALTH)
            assert (await reused.read_head()).status == 200
        await _check_gone(live)
        assert (await exchange(live.address, "GET", "/api/v1/healthz")).status == 200


@contextmanager
def _collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _is_scope(one: object) -> bool:
    return type(one) is dict and isinstance(one.get("raw_path"), bytes)


_FILLER = b"Filler: " + b"x" * 50_000 + b"\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        _HEALTH[:-2] + _FILLER + b"Connection: close\r\n\r\n",
        _HEALTH[:-2] + _FILLER + b"\r\n",
        b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + _FILLER + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + _FILLER * 2,
        b"GET / HTTP/1.1\r\n" + _FILLER,
        _POST + _FILLER + b"Content-Length: 100\r\n\r\n{",
        _POST + _FILLER + b"Connection: close\r\nContent-Length: 2\r\n\r\n[]",
        _POST + _FILLER + b"Transfer-Encoding: chunked\r\n\r\nz\r\n",
        b"GET /api/v1/sse HTTP/1.1\r\nHost: localhost\r\n" + _FILLER + b"\r\n",
        b"GET /api/v1/sse HTTP/1.0\r\n" + _FILLER + b"\r\n",
        opening_request("/api/v1/ws/dashboard"),
        opening_request("/api/v1/ws"),
        opening_request("/nowhere"),
        opening_request("/graphql"),
    ],
    ids=[
        *("closed", "kept", "unknown", "too-large", "half-head", "half-body", "refused", "bad-chunk", "stream"),
        *("stream-1.0", "socket", "socket-refused", "socket-unknown", "graphql-socket"),
    ],
)
async def test_nothing_of_a_request_is_left_for_the_collector(sent: bytes, boards: LiveServer) -> None:
    with _collector_off():
        async with deadline(_WAIT_UNITS):
            for _ in range(3):
                async with connect(boards.address) as connection:
                    await connection.send(sent)
                    if not sent.endswith((_FILLER, b"{")):
                        await connection.read_head()
            await _check_gone(boards)
        # The shell of a stream's request may live until the next collection: anyio's cancelled tasks refer to it.
        kinds = (HttpConnection, WebSocketConnection, *(() if b"/sse" in sent else (Cycle,)))
        assert [one for one in gc.get_objects() if isinstance(one, kinds) or _is_scope(one)] == []


async def test_heads_without_end_cost_no_memory(tmp_path: Path) -> None:
    mebibyte = 1024 * 1024
    async with running(tmp_path) as server, deadline(60):
        await exchange(server.address, "GET", "/api/v1/healthz")
        before = server.resident_bytes
        for begin in (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: ", b"GET /", b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100):
            for _ in range(10):
                async with connect(server.address) as connection:
                    await connection.send(begin)
                    filler = b"a: b\r\n" * 170_000 if begin.endswith(b"\n") else b"x" * mebibyte
                    while await _takes(connection, filler):
                        pass
        assert server.resident_bytes - before < 32 * mebibyte
        answer = await exchange(server.address, "GET", "/api/v1/healthz")
        assert orjson.loads(answer.body) == {"ok": True}


async def test_server_with_few_descriptors_serves_on_when_they_are_used_up(tmp_path: Path) -> None:
    limited = ("sh", "-c", 'ulimit -n 300; exec "$@"', "sh")
    async with running(tmp_path, "--head-timeout-seconds", "600", before=limited) as server, deadline(60):
        for _ in range(3):
            async with AsyncExitStack() as stack:
                for _ in range(600):
                    await stack.enter_async_context(connect(server.address))
            status = 503
            while status == 503:  # the server has not yet noticed that they are gone
                status = (await exchange(server.address, "GET", "/api/v1/projects")).status
            assert status == 200
