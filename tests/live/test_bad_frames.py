"""Frames that break RFC 6455: each has its close code, at most one line in the log, and never causes a fault."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from itertools import product

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_socket import BINARY, CLOSE, PING, PONG, TEXT, Closed, RawSocket, frame_bytes, open_socket
from tests.live.boards import BOARD, TODO, make_boards

pytestmark = pytest.mark.usefixtures("clean_log")

_WAIT_UNITS = 20
CONT = 0x0
_BOARD = f"/api/v1/ws?boardId={BOARD}"
_GRAPHQL = [
    ("Host", "127.0.0.1"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]


def _first_byte(bits: int, frame: bytes) -> bytes:
    return bytes([frame[0] | bits]) + frame[1:]


#: Name of the error → the frames, and the code.
_BAD: dict[str, tuple[bytes, int]] = {
    "text that is no UTF-8": (frame_bytes(TEXT, b"\xff\xfe"), 1007),
    "surrogate": (frame_bytes(TEXT, b"\xed\xa0\x80"), 1007),
    "half a character": (frame_bytes(TEXT, b"\xc3"), 1007),
    "half a character in two frames": (frame_bytes(TEXT, b"\xc3", fin=False) + frame_bytes(CONT, b""), 1007),
    "reserved bit 1": (_first_byte(0x40, frame_bytes(TEXT, b"x")), 1002),
    "reserved bit 2": (_first_byte(0x20, frame_bytes(BINARY, b"x")), 1002),
    "reserved bit 3": (_first_byte(0x10, frame_bytes(PING, b"x")), 1002),
    "unmasked": (frame_bytes(TEXT, b"x", masked=False), 1002),
    "unmasked ping": (frame_bytes(PING, b"", masked=False), 1002),
    "unknown data opcode": (frame_bytes(0x3, b"x"), 1002),
    "unknown control opcode": (frame_bytes(0xB, b"x"), 1002),
    "ping too long": (frame_bytes(PING, b"x" * 126), 1002),
    "pong too long": (frame_bytes(PONG, b"x" * 70_000), 1002),
    "ping in fragments": (frame_bytes(PING, b"x", fin=False), 1002),
    "continuation of nothing": (frame_bytes(CONT, b"x"), 1002),
    "message within a message": (frame_bytes(TEXT, b"x", fin=False) + frame_bytes(TEXT, b"y"), 1002),
    "message too large": (frame_bytes(TEXT, b"x" * (1024 * 1024 + 1))[:1000], 1009),
    "fragments too large": (frame_bytes(TEXT, b"x" * 600_000, fin=False) + frame_bytes(CONT, b"x" * 600_000), 1009),
    "length of 2^63": (b"\x81\xff" + b"\xff" * 8 + b"\0" * 4, 1009),
    "close of one byte": (frame_bytes(CLOSE, b"\x03"), 1002),
    "close with code 0": (frame_bytes(CLOSE, b"\0\0"), 1002),
    "close with code 999": (frame_bytes(CLOSE, (999).to_bytes(2, "big")), 1002),
    "close with code 1004": (frame_bytes(CLOSE, (1004).to_bytes(2, "big")), 1002),
    "close with code 1005": (frame_bytes(CLOSE, (1005).to_bytes(2, "big")), 1002),
    "close with code 1006": (frame_bytes(CLOSE, (1006).to_bytes(2, "big")), 1002),
    "close with code 2999": (frame_bytes(CLOSE, (2999).to_bytes(2, "big")), 1002),
    "close with code 5000": (frame_bytes(CLOSE, (5000).to_bytes(2, "big")), 1002),
    "close with a reason that is no UTF-8": (frame_bytes(CLOSE, b"\x03\xe8\xff"), 1007),
    "close in the middle of a message": (frame_bytes(TEXT, b"x", fin=False) + frame_bytes(CLOSE, b"\x03\xe8"), 1002),
    "close too long": (frame_bytes(CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
}
#: After these frames nothing can be parsed, or the next bytes belong to them.
_WHOLE = {name: bad for name, bad in _BAD.items() if name != "message too large"}


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[LiveServer]:
    async with live_server() as live:
        await make_boards(live.address)
        yield live


async def _closed(socket: RawSocket) -> int:
    """Return the code of the close frame; only the end may come after it."""
    while (frame := await socket.receive()).opcode != CLOSE:
        pass
    with pytest.raises(Closed):
        await socket.receive()
    return frame.close[0]


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.name.startswith("server") and one.levelno >= logging.INFO]


@pytest.mark.parametrize("subprotocol", [None, "graphql-transport-ws", "graphql-ws"])
@pytest.mark.parametrize("name", _BAD)
async def test_bad_frame_is_closed_with_its_code_and_one_line(
    name: str, subprotocol: str | None, server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    frames, code = _BAD[name]
    target = _BOARD if subprotocol is None else "/graphql"
    headers = None if subprotocol is None else [*_GRAPHQL, ("Sec-WebSocket-Protocol", subprotocol)]
    async with deadline(_WAIT_UNITS), open_socket(server.address, target, headers) as socket:
        await socket.send_bytes(frames)
        assert await _closed(socket) == code
    assert len(_lines(caplog)) == 1, _lines(caplog)


async def test_two_bad_frames_in_one_segment_are_closed_for_the_first(
    server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with deadline(_WAIT_UNITS * 4):
        for first, second in product(_WHOLE, repeat=2):
            # An unfinished frame may absorb the next bytes. The server reports the error all the same.
            caplog.clear()
            async with open_socket(server.address, _BOARD) as socket:
                await socket.send_bytes(_WHOLE[first][0] + _WHOLE[second][0])
                assert await _closed(socket) == _WHOLE[first][1], (first, second)
            assert len(_lines(caplog)) == 1, (first, second, _lines(caplog))


async def test_valid_commands_before_a_bad_frame_are_executed(server: LiveServer) -> None:
    command = {"type": "create_card", "payload": {"columnId": TODO, "title": "before"}}
    async with deadline(_WAIT_UNITS), open_socket(server.address, _BOARD) as other:
        assert [orjson.loads(await other.receive_text())["type"] for _ in range(2)] == ["hello", "state"]
        async with open_socket(server.address, _BOARD) as socket:
            await socket.send_bytes(
                frame_bytes(PING, b"p") + frame_bytes(TEXT, orjson.dumps(command)) + frame_bytes(TEXT, b"\xff")
            )
            assert await _closed(socket) == 1007
        state = orjson.loads(await other.receive_text())
        assert "before" in {card["title"] for card in state["payload"]["cards"].values()}


@pytest.mark.parametrize(
    "more",
    [b"", frame_bytes(TEXT, b"{}"), frame_bytes(TEXT, b"\xff"), b"\xff" * 100_000],
    ids=["nothing", "a message", "a bad message", "rubbish"],
)
async def test_close_frame_is_echoed_and_nothing_after_it_counts(
    more: bytes, server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with deadline(_WAIT_UNITS), open_socket(server.address, _BOARD) as socket:
        await socket.send_bytes(frame_bytes(CLOSE, b"\x0f\xa0bye") + more)
        while (frame := await socket.receive()).opcode != CLOSE:
            pass
        assert frame.close == (4000, "bye")
    assert not _lines(caplog)


@pytest.mark.parametrize("subprotocol", ["graphql-transport-ws", "graphql-ws"])
async def test_deeply_nested_ping_before_the_beginning_is_a_mistake_and_no_fault(
    subprotocol: str, server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    nested = "[" * 300 + "]" * 300
    headers = [*_GRAPHQL, ("Sec-WebSocket-Protocol", subprotocol)]
    async with deadline(_WAIT_UNITS), open_socket(server.address, "/graphql", headers) as socket:
        await socket.send_text('{"type":"ping","payload":{"deep":' + nested + "}}")
        if subprotocol == "graphql-ws":  # this subprotocol has no pings, so the server sends an error and continues
            assert orjson.loads(await socket.receive_text())["type"] == "connection_error"
            return
        assert await _closed(socket) == 4400
    assert len(_lines(caplog)) == 1, _lines(caplog)


@pytest.mark.parametrize(
    "frames", [b"\x81", b"\x81\x85", frame_bytes(TEXT, b"x" * 1000)[:500]], ids=["one byte", "head", "half"]
)
async def test_client_that_leaves_in_the_middle_of_a_frame_is_no_fault(
    frames: bytes, server: LiveServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with deadline(_WAIT_UNITS):
        for leave in ("reset", "half_close"):
            async with open_socket(server.address, _BOARD) as socket:
                await socket.send_bytes(frames)
                await getattr(socket.connection, leave)()
                if leave == "half_close":
                    await socket.connection.read_to_end()
        while server.server.server_state.connections:
            async with open_socket(server.address, "/api/v1/nowhere"):
                pass
    assert len(_lines(caplog)) <= 2, _lines(caplog)
