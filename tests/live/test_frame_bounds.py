"""Frames, fragments, pings and messages that a client can send in large numbers: each has a bound and an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import repeat
from typing import Any

import anyio
import anyio.lowlevel
import orjson
import pytest

from schema.execution import running
from server.connection.websocket_frames import MESSAGE_FRAMES, UNTAKEN_BYTES
from server.transports.graphql.operation import MAX_EXECUTING
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import connect, exchange
from tests.kit.raw_socket import BINARY, CLOSE, PING, PONG, TEXT, Closed, RawSocket, frame_bytes, open_socket
from tests.kit.statements import counted
from tests.live.boards import BOARD, make_boards

pytestmark = pytest.mark.usefixtures("clean_log")

_WAIT_UNITS = 30
CONT = 0x0
_BOARD = f"/api/v1/ws?boardId={BOARD}"
_TARGETS = (_BOARD, "/api/v1/ws/dashboard", "/graphql")
_HEADERS = [
    ("Host", "127.0.0.1"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
]
#: The buffer for a client that reads nothing: its high-water mark, and the bytes of one more pass.
_TRANSPORT_BYTES = 64 * 1024 + UNTAKEN_BYTES + 64 * 1024
_SEGMENT_FRAMES = 2000
_OPERATIONS = 100
_BOARDS = 5
_RESULT_BYTES = 60_000
#: Most bytes that the system takes for a client that does not read.
_SYSTEM_BYTES = 8 * 1024 * 1024


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[LiveServer]:
    async with live_server() as live:
        await make_boards(live.address)
        yield live


async def _opened(socket: RawSocket) -> None:
    """Read the first messages of a board's socket."""
    assert [orjson.loads(await socket.receive_text())["type"] for _ in range(2)] == ["hello", "state"]


async def _send_without_end(socket: RawSocket, first: bytes, more: bytes) -> None:
    """Send until the server closes the connection."""
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        await socket.send_bytes(first)
        while True:
            await socket.send_bytes(more)


async def _closed(socket: RawSocket) -> tuple[int, str]:
    while (frame := await socket.receive()).opcode != CLOSE:
        pass
    return frame.close


@pytest.mark.parametrize("target", _TARGETS)
@pytest.mark.parametrize("payload", [b"", b"x"], ids=["empty", "one byte"])
async def test_message_of_endless_frames_is_closed_1009_and_others_are_served(
    payload: bytes, target: str, server: LiveServer
) -> None:
    first, more = frame_bytes(TEXT, payload, fin=False), frame_bytes(CONT, payload, fin=False) * _SEGMENT_FRAMES
    async with (
        deadline(_WAIT_UNITS),
        open_socket(server.address, target, _HEADERS) as socket,
        open_socket(server.address, _BOARD) as other,
        anyio.create_task_group() as group,
    ):
        await _opened(other)
        group.start_soon(_send_without_end, socket, first, more)
        assert (await _closed(socket))[0] == 1009
        await other.send_json({"type": "ping"})
        assert orjson.loads(await other.receive_text())["type"] == "pong"
        group.cancel_scope.cancel()


@pytest.mark.parametrize("kind", [TEXT, BINARY])
async def test_message_of_as_many_frames_as_may_be_is_taken(kind: int, server: LiveServer) -> None:
    message = b'{"type":"ping"}' + b" " * (MESSAGE_FRAMES - 15)
    parts = [message[place : place + 1] for place in range(MESSAGE_FRAMES)]
    frames = [frame_bytes(kind, parts[0], fin=False)]
    frames += [frame_bytes(CONT, part, fin=False) + frame_bytes(PING, b"between") for part in parts[1:-1]]
    async with deadline(_WAIT_UNITS), open_socket(server.address, _BOARD) as socket:
        await _opened(socket)
        await socket.send_bytes(b"".join(frames) + frame_bytes(CONT, parts[-1]))
        for _ in range(MESSAGE_FRAMES - 2):
            frame = await socket.receive()
            assert (frame.opcode, frame.payload) == (PONG, b"between")
        assert orjson.loads(await socket.receive_text())["type"] == "pong"


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        (frame_bytes(TEXT, b'{"type":"ping"}'), b'{"type":"pong"'),
        (frame_bytes(TEXT, b""), b'{"type":"error"'),
        (frame_bytes(PING, b"p"), b"p"),
        (frame_bytes(PING, b"p" * 125), b"p" * 125),
    ],
    ids=["messages", "empty messages", "pings", "large pings"],
)
async def test_segments_of_many_small_frames_are_all_answered(frame: bytes, answer: bytes, server: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), open_socket(server.address, _BOARD) as socket:
        await _opened(socket)
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(socket.send_bytes, frame * _SEGMENT_FRAMES)
                for _ in range(_SEGMENT_FRAMES):
                    assert (await socket.receive()).payload.startswith(answer)


@pytest.mark.parametrize("target", _TARGETS)
@pytest.mark.parametrize(
    "frames",
    [frame_bytes(PING, b"x" * 30) * 200, frame_bytes(PING, b"x" * 125) * 200],
    ids=["pings", "large pings"],
)
async def test_client_that_reads_no_pongs_is_read_no_more_and_cut(frames: bytes, target: str) -> None:
    async with (
        live_server(send_timeout_seconds=0.5) as live,
        deadline(_WAIT_UNITS),
        connect(live.address, 4096) as connection,
    ):
        await make_boards(live.address)
        socket = await RawSocket.handshake(connection, target, _HEADERS)
        most = 0
        with suppress(anyio.BrokenResourceError):
            for _ in repeat(None):
                await socket.send_bytes(frames)
                most = max([most, *_waiting(live)])
        assert 0 < most <= _TRANSPORT_BYTES
        while live.server.server_state.connections:
            await exchange(live.address, "GET", "/api/v1/healthz")
            await anyio.lowlevel.checkpoint()


async def _type_of_next(socket: RawSocket) -> str:
    """Return the type of the next message; pings of the server may come before it."""
    while (frame := await socket.receive()).opcode == PING:
        pass
    type: str = orjson.loads(frame.text)["type"]
    return type


def _waiting(live: LiveServer) -> list[int]:
    return [connection.transport.get_write_buffer_size() for connection in live.server.server_state.connections]


@pytest.mark.parametrize("message", ['{"type":"ping"}', '{"type":"get_state"}', "no json"])
async def test_client_that_reads_no_replies_is_cut_and_costs_a_queue(
    message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.connection.websocket_keepalive.CLOSE_SECONDS", 0.2)
    settings: dict[str, Any] = {"send_timeout_seconds": 0.5, "max_queued_envelopes": 100, "max_queued_bytes": 100_000}
    async with (
        live_server(**settings) as live,
        deadline(_WAIT_UNITS),
        connect(live.address, 4096) as connection,
    ):
        await make_boards(live.address)
        socket = await RawSocket.handshake(connection, _BOARD)
        most = 0
        with suppress(anyio.BrokenResourceError):
            for _ in repeat(None):
                await socket.send_bytes(frame_bytes(TEXT, message.encode()) * 50)
                most = max([most, *_waiting(live)])
        assert most <= _TRANSPORT_BYTES + 100_000
        ended = live.node.counters.exit("board-ws").ended
        while not ended or live.server.server_state.connections:  # the stream is counted behind its connection
            await exchange(live.address, "GET", "/api/v1/healthz")
            await anyio.lowlevel.checkpoint()
        (reason,) = ended
        assert reason in {"send_timeout", "slow_consumer"}


@pytest.mark.parametrize(("subprotocol", "start"), [("graphql-transport-ws", "subscribe"), ("graphql-ws", "start")])
async def test_results_of_many_operations_wait_one_by_one(subprotocol: str, start: str, server: LiveServer) -> None:
    card = f"/api/v1/boards/{BOARD}/cards/free"
    await exchange(server.address, "PATCH", card, orjson.dumps({"description": "x" * _RESULT_BYTES}))
    boards = " ".join(f'b{n}: board(boardId: "{BOARD}") {{ cards {{ description }} }}' for n in range(_BOARDS))
    query = f"{{ {boards} }}"
    async with deadline(_WAIT_UNITS), connect(server.address, 4096) as connection:
        with counted() as reads_of_one:
            await exchange(server.address, "POST", "/graphql", orjson.dumps({"query": query}))
        headers = [*_HEADERS[:-1], ("Sec-WebSocket-Protocol", subprotocol)]
        socket = await RawSocket.handshake(connection, "/graphql", headers)
        await socket.send_json({"type": "connection_init"})
        for id in range(_OPERATIONS):
            await socket.send_json({"id": str(id), "type": start, "payload": {"query": query}})
        most = completed = executed_early = 0
        with counted() as reads:
            while completed < _OPERATIONS:
                completed += await _type_of_next(socket) == "complete"
                most = max([most, *_waiting(server)])
                executed_early = max(executed_early, len(reads) // len(reads_of_one) - completed)
    assert most <= _TRANSPORT_BYTES + 2 * _BOARDS * _RESULT_BYTES
    assert executed_early <= MAX_EXECUTING + _SYSTEM_BYTES // (_BOARDS * _RESULT_BYTES)


async def test_events_of_many_subscriptions_wait_one_by_one(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed: list[object] = []
    result_of = running._result  # noqa: SLF001 - nothing outside shows an execution whose result waits

    async def counting(*arguments: Any) -> Any:
        executed.append(None)
        return await result_of(*arguments)

    monkeypatch.setattr(running, "_result", counting)
    card = f"/api/v1/boards/{BOARD}/cards/free"
    await exchange(server.address, "PATCH", card, orjson.dumps({"description": "x" * _RESULT_BYTES}))
    async with deadline(_WAIT_UNITS), connect(server.address, 4096) as connection:
        socket = await RawSocket.handshake(connection, "/graphql", _HEADERS)
        await socket.send_json({"type": "connection_init"})
        for id in range(_OPERATIONS):
            cards = " ".join(f"c{id}x{n}: cards {{ description }}" for n in range(_BOARDS))
            query = f'subscription {{ boardState(boardId: "{BOARD}") {{ {cards} }} }}'
            await socket.send_json({"id": str(id), "type": "subscribe", "payload": {"query": query}})
        taken = executed_early = 0
        while taken < _OPERATIONS:
            taken += await _type_of_next(socket) == "next"
            executed_early = max(executed_early, len(executed) - taken)
    assert executed_early <= MAX_EXECUTING + _SYSTEM_BYTES // (_BOARDS * _RESULT_BYTES)


async def test_early_frames_without_end_wait_outside(server: LiveServer) -> None:
    """Sent with the handshake and after it, before it is answered."""
    frames = frame_bytes(TEXT, b'{"type":"ping"}') * _SEGMENT_FRAMES
    async with deadline(_WAIT_UNITS), open_socket(server.address, _BOARD, after=frames) as socket:
        await _opened(socket)
        for _ in range(_SEGMENT_FRAMES):
            assert (await socket.receive()).text.startswith('{"type":"pong"')


async def test_client_that_answers_no_close_frame_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.connection.websocket_keepalive.CLOSE_SECONDS", 0.2)
    async with (
        live_server() as live,
        deadline(_WAIT_UNITS),
        open_socket(live.address, "/api/v1/ws?boardId=none") as socket,
    ):
        assert (await socket.receive()).close == (1008, "Board not found")
        with pytest.raises(Closed):
            await socket.receive()
        assert not live.server.server_state.connections


async def test_client_that_sends_without_end_instead_of_a_close_frame_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.connection.websocket_keepalive.CLOSE_SECONDS", 0.2)
    message = frame_bytes(TEXT, b'{"type":"ping"}') * 50
    async with (
        live_server() as live,
        deadline(_WAIT_UNITS),
        open_socket(live.address, "/api/v1/ws?boardId=none") as socket,
        anyio.create_task_group() as group,
    ):
        group.start_soon(_send_without_end, socket, message, message)
        assert (await socket.receive()).close == (1008, "Board not found")
        with suppress(Closed):
            while True:
                await socket.receive()
        group.cancel_scope.cancel()
