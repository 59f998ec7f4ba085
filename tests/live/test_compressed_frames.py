"""permessage-deflate (RFC 7692): what is agreed on, what a client may send, and frames that all readers share."""

from __future__ import annotations

import logging
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import orjson
import pytest

from server.protocol import deflate
from server.protocol.graphql.request import MAX_ID
from server.transports import compressing, direct_writers
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher, event
from tests.kit.raw_http import exchange
from tests.kit.raw_socket import (
    BINARY,
    CLOSE,
    HANDSHAKE,
    PING,
    PONG,
    TEXT,
    Closed,
    Frame,
    RawSocket,
    frame_bytes,
    open_socket,
)
from tests.live.boards import BOARD, make_boards

pytestmark = pytest.mark.usefixtures("clean_log")

_WAIT_UNITS = 20
CONT = 0x0
_TARGET = f"/api/v1/ws?boardId={BOARD}"
_OFFER = "permessage-deflate; client_max_window_bits"
_AGREED = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
_LIMIT = 1024 * 1024
_LONG = "a longer text, which is worth it; " * 60
_STATE = "subscription ($id: ID!) { boardState(boardId: $id) { cards { title description } } }"


def _offering(offer: str = _OFFER, subprotocol: str | None = None) -> list[tuple[str, str]]:
    protocol = [] if subprotocol is None else [("Sec-WebSocket-Protocol", subprotocol)]
    return [*HANDSHAKE, ("Sec-WebSocket-Extensions", offer), *protocol]


def _packed(text: bytes, *, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return (packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


def _message(text: bytes, opcode: int = TEXT) -> bytes:
    return frame_bytes(opcode, _packed(text), rsv1=True)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[LiveServer]:
    async with live_server(direct_writes=True) as live:
        await make_boards(live.address)
        yield live


async def _next(socket: RawSocket) -> Frame:
    while (frame := await socket.receive()).opcode == PING:
        pass
    return frame


async def _next_json(socket: RawSocket) -> dict[str, Any]:
    parsed: dict[str, Any] = orjson.loads((await _next(socket)).text)
    return parsed


async def _opened(socket: RawSocket) -> None:
    assert [(await _next_json(socket))["type"] for _ in range(2)] == ["hello", "state"]


async def _closed(socket: RawSocket) -> tuple[int, str]:
    while (frame := await socket.receive()).opcode != CLOSE:
        pass
    with pytest.raises(Closed):
        await socket.receive()
    return frame.close


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        ("permessage-deflate", _AGREED),
        (_OFFER, _AGREED),
        ("permessage-deflate; client_max_window_bits=10", f"{_AGREED}; client_max_window_bits=10"),
        ('permessage-deflate; client_max_window_bits="10"', f"{_AGREED}; client_max_window_bits=10"),
        ("permessage-deflate; server_max_window_bits=15", f"{_AGREED}; server_max_window_bits=15"),
        ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", _AGREED),
        ("x-webkit-deflate-frame, permessage-deflate", _AGREED),
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", _AGREED),
        ("permessage-deflate; unknown, permessage-deflate; client_max_window_bits", _AGREED),
        ("permessage-deflate, permessage-deflate", _AGREED),
        ("permessage-deflate; server_max_window_bits=10", None),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; server_max_window_bits", None),
        ("permessage-deflate; server_max_window_bits=16", None),
        ("permessage-deflate; server_max_window_bits=015", None),
        ("permessage-deflate; client_max_window_bits=7", None),
        ("permessage-deflate; client_max_window_bits; client_max_window_bits", None),
        ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        ("permessage-deflate; server_no_context_takeover=1", None),
        ("permessage-deflate; unknown", None),
        ("x-webkit-deflate-frame", None),
    ],
)
async def test_offers_are_answered_by_the_rfc(offer: str, answer: str | None, server: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), open_socket(server.address, _TARGET, _offering(offer)) as socket:
        assert socket.response.status == 101
        assert socket.response.header("Sec-WebSocket-Extensions") == answer
        await _opened(socket)
        # A client that has agreed to it may still send messages as they are.
        await socket.send_text('{"type":"ping"}')
        assert (await _next_json(socket))["type"] == "pong"


async def test_offers_in_several_lines_are_one_list(server: LiveServer) -> None:
    headers = [*_offering("permessage-deflate; unknown"), ("Sec-WebSocket-Extensions", "permessage-deflate")]
    async with deadline(_WAIT_UNITS), open_socket(server.address, _TARGET, headers) as socket:
        assert socket.response.header("Sec-WebSocket-Extensions") == _AGREED


@pytest.mark.parametrize("offer", ["", "permessage-deflate; =", "a b", "permessage-deflate;"])
async def test_offer_that_is_no_list_is_a_problem(offer: str, server: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), open_socket(server.address, _TARGET, _offering(offer)) as socket:
        answer = socket.response
    assert (answer.status, answer.header("Content-Type")) == (400, "application/problem+json")
    assert b"expected Sec-WebSocket-Extensions" in answer.body


async def test_setting_declines_every_offer() -> None:
    async with deadline(_WAIT_UNITS), live_server(compression=False) as live:
        await make_boards(live.address)
        async with open_socket(live.address, _TARGET, _offering()) as socket:
            assert socket.response.header("Sec-WebSocket-Extensions") is None
            await _opened(socket)
            await socket.send_bytes(_message(b'{"type":"ping"}'))
            assert (await _closed(socket))[0] == 1002


@pytest.mark.parametrize(
    "frames",
    [
        _message(b'{"type":"ping"}'),
        _message(b'{"type":"ping"}', BINARY),
        frame_bytes(TEXT, _packed(b'{"type":"ping"}', level=0), rsv1=True),
        frame_bytes(TEXT, _packed(b'{"type":"ping"}')[:3], rsv1=True, fin=False)
        + frame_bytes(PING, b"between")
        + frame_bytes(CONT, _packed(b'{"type":"ping"}')[3:-2], fin=False)
        + frame_bytes(CONT, _packed(b'{"type":"ping"}')[-2:]),
        frame_bytes(TEXT, b"", rsv1=True, fin=False) + frame_bytes(CONT, _packed(b'{"type":"ping"}')),
        frame_bytes(TEXT, _packed(b'{"type":"ping"}'), rsv1=True, fin=False) + frame_bytes(CONT, b""),
        _message(b'{"type":"pong"}') * 50 + frame_bytes(TEXT, b'{"type":"pong"}') + _message(b'{"type":"ping"}'),
        _message(b'{"type":"ping"' + b" " * (_LIMIT - 15) + b"}"),
    ],
    ids=["text", "binary", "stored", "fragments", "empty first", "empty last", "mixed", "as large as may be"],
)
async def test_compressed_messages_are_taken(frames: bytes, server: LiveServer) -> None:
    async with deadline(_WAIT_UNITS), open_socket(server.address, _TARGET, _offering()) as socket:
        await _opened(socket)
        await socket.send_bytes(frames)
        while (frame := await _next(socket)).opcode == PONG:
            assert frame.payload == b"between"
        assert orjson.loads(frame.text)["type"] == "pong"


_BOMB = _packed(bytes(64 * _LIMIT), level=9)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (frame_bytes(TEXT, _BOMB, rsv1=True), 1009),
        (frame_bytes(BINARY, _packed(bytes(_LIMIT + 1)), rsv1=True), 1009),
        (frame_bytes(TEXT, _BOMB[:9], rsv1=True, fin=False) + frame_bytes(CONT, _BOMB[9:]), 1009),
        (frame_bytes(TEXT, _BOMB, rsv1=True) * 20, 1009),
        (frame_bytes(TEXT, b"\xff" * 20, rsv1=True), 1007),
        (frame_bytes(TEXT, b"", rsv1=True), 1007),
        (frame_bytes(TEXT, b"\x03\x00" * 1000, rsv1=True), 1007),
        (_message(b"\xff"), 1007),
        (frame_bytes(TEXT, b"x", fin=False) + frame_bytes(CONT, b"x", rsv1=True), 1002),
        (frame_bytes(TEXT, b"x", rsv1=True, fin=False) + frame_bytes(CONT, b"x", rsv1=True), 1002),
        (frame_bytes(PING, b"x", rsv1=True), 1002),
        (frame_bytes(PONG, b"x", rsv1=True), 1002),
        (frame_bytes(CLOSE, b"\x03\xe8", rsv1=True), 1002),
    ],
    ids=[
        "bomb",
        "a byte too large",
        "bomb in fragments",
        "many bombs",
        "no deflate",
        "nothing",
        "empty final blocks",
        "no UTF-8",
        "bit on a continuation",
        "bit on a continuation of a compressed message",
        "bit on a ping",
        "bit on a pong",
        "bit on a close",
    ],
)
@pytest.mark.parametrize("subprotocol", [None, "graphql-transport-ws"])
async def test_bad_compressed_message_is_closed_with_its_code_and_one_line(
    frames: bytes, code: int, subprotocol: str | None, server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    target = _TARGET if subprotocol is None else "/graphql"
    async with (
        deadline(_WAIT_UNITS),
        open_socket(server.address, target, _offering(subprotocol=subprotocol)) as socket,
        open_socket(server.address, _TARGET) as other,
    ):
        await _opened(other)
        await socket.send_bytes(frames)
        assert (await _closed(socket))[0] == code
        await other.send_text('{"type":"ping"}')
        assert (await _next_json(other))["type"] == "pong"
    lines = [one for one in caplog.records if one.name.startswith("server") and one.levelno >= logging.INFO]
    assert len(lines) == 1, lines


async def _update(server: LiveServer, *titles: str) -> None:
    publisher = Publisher(server.address)
    for title in titles:
        done = await exchange(
            server.address, "PATCH", f"/api/v1/boards/{BOARD}/cards/free", orjson.dumps({"title": title})
        )
        assert done.status == 200
        line = {"boardId": BOARD, "attemptId": "a1", "level": "info", "message": title}
        await publisher.publish(event("attempt.log.appended", line))


@pytest.fixture
async def large() -> AsyncIterator[LiveServer]:
    """Run a server with a board whose state is worth compressing."""
    async with live_server(direct_writes=True) as live:
        await make_boards(live.address)
        body = orjson.dumps({"description": _LONG})
        done = await exchange(live.address, "PATCH", f"/api/v1/boards/{BOARD}/cards/free", body)
        assert done.status == 200
        yield live


async def _events(socket: RawSocket, count: int) -> list[Frame]:
    return [await _next(socket) for _ in range(count)]


@pytest.mark.parametrize("is_slow", [False, True], ids=["by the loop", "by the thread"])
async def test_compressed_readers_share_their_frames_and_the_order_of_plain_ones(
    is_slow: bool, large: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counted(text: bytes) -> bytes:
        made.append(len(text))
        return _packed(text, level=1) + deflate.TAIL

    async with deadline(_WAIT_UNITS), AsyncExitStack() as stack:
        headers = [None, _offering(), _offering(), _offering()]
        sockets = [await stack.enter_async_context(open_socket(large.address, _TARGET, one)) for one in headers]
        for socket in sockets:
            await _opened(socket)
        monkeypatch.setattr("server.protocol.http.framing.deflated", counted)
        if is_slow:
            monkeypatch.setattr(compressing, "QUICK_BYTES", 0)
        titles = [f"title {number}" for number in range(20)]
        read: list[list[Frame]] = [[] for _ in sockets]
        for title in titles:
            await _update(large, title)
            # Read before the next update: while the thread compresses a state, a newer one would replace it.
            for frames, socket in zip(read, sockets, strict=True):
                frames.extend(await _events(socket, 2))
        plain, *compressed = read
    assert [frame.text for frame in plain] == [frame.text for frame in compressed[0]]
    assert compressed[0] == compressed[1] == compressed[2]
    states, lines = compressed[0][::2], compressed[0][1::2]
    assert all(frame.is_deflated and len(frame.payload) < len(frame.text) / 3 for frame in states)
    assert not any(frame.is_deflated for frame in lines)
    assert len(made) == len(titles)


async def test_compressed_results_are_shared_by_clients_with_other_ids(
    large: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def counted(text: bytes) -> bytes:
        made.append(len(text))
        return _packed(text, level=1) + deflate.TAIL

    ids = ["1", "a much longer id " * 20, "ü" * 30, "\x01" * MAX_ID]
    async with deadline(_WAIT_UNITS), AsyncExitStack() as stack:
        sockets = []
        for id in ids:
            headers = _offering(subprotocol="graphql-transport-ws")
            socket = await stack.enter_async_context(open_socket(large.address, "/graphql", headers))
            await socket.send_bytes(_message(b'{"type":"connection_init"}'))
            assert (await _next_json(socket))["type"] == "connection_ack"
            payload = {"query": _STATE, "variables": {"id": BOARD}}
            await socket.send_bytes(_message(orjson.dumps({"id": id, "type": "subscribe", "payload": payload})))
            first = await _next(socket)
            assert first.is_deflated
            assert orjson.loads(first.text)["payload"]["data"]["boardState"]["cards"][0]["description"] == _LONG
            sockets.append(socket)
        # After this mark, all of them wait for the next state.
        await _update(large, "mark")
        assert {(await _next(socket)).is_deflated for socket in sockets} == {True}
        monkeypatch.setattr(direct_writers, "deflated", counted)
        await _update(large, "shared")
        for id, socket in zip(ids, sockets, strict=True):
            frame = await _next(socket)
            message = orjson.loads(frame.text)
            assert frame.is_deflated
            assert (message["id"], message["payload"]["data"]["boardState"]["cards"][0]["title"]) == (id, "shared")
    assert len(made) == 1


async def test_secret_of_a_new_token_is_not_compressed(large: LiveServer) -> None:
    names = [{"name": _LONG[:150], "boards": ["*"], "can": ["READ"]}] * 6
    fields = " ".join(
        f"t{number}: createAccessToken(input: $i{number}) "
        "{ ... on CreateAccessTokenPayload { secret accessToken { name } } }"
        for number in range(len(names))
    )
    variables = {f"i{number}": one for number, one in enumerate(names)}
    declared = ", ".join(f"${name}: CreateAccessTokenInput!" for name in variables)
    payload = {"query": f"mutation ({declared}) {{ {fields} }}", "variables": variables}
    async with (
        deadline(_WAIT_UNITS),
        open_socket(large.address, "/graphql", _offering(subprotocol="graphql-transport-ws")) as socket,
    ):
        await socket.send_json({"type": "connection_init"})
        assert (await _next_json(socket))["type"] == "connection_ack"
        await socket.send_json({"id": "1", "type": "subscribe", "payload": payload})
        frame = await _next(socket)
    assert len(orjson.loads(frame.text)["payload"]["data"]["t5"]["secret"]) > 20
    assert len(frame.payload) > deflate.MIN_BYTES
    assert not frame.is_deflated
