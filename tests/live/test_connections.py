"""Our additions to uvicorn's protocol classes: early bytes, upgrades refused silently, heads that are too large."""

from __future__ import annotations

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import connect, exchange
from tests.kit.raw_socket import PING, PONG, TEXT, frame_bytes, open_socket
from tests.live.boards import BOARD
from tests.live.exits import opening_request

_TARGET = f"/api/v1/ws?boardId={BOARD}"
_PING = frame_bytes(TEXT, b'{"type":"ping"}')


@pytest.mark.parametrize("target", ["/api/v1/ws", "/api/v1/ws?boardId=", "/api/v1/nowhere", "/nowhere"])
async def test_refused_upgrade_is_answered_and_logs_no_error(target: str, boards: LiveServer) -> None:
    """The fixture `boards` fails if an error is logged."""
    async with deadline(5), open_socket(boards.address, target) as socket:
        assert socket.response.status == (400 if "/ws" in target else 404)
        assert socket.response.header("Content-Type") == "application/problem+json"


async def test_refused_upgrade_closes_the_connection(boards: LiveServer) -> None:
    async with deadline(5), connect(boards.address) as connection:
        await connection.send(opening_request("/api/v1/ws"))
        head = await connection.read_head()
        await connection.read_body(head)
        assert head.status == 400
        assert await connection.read_to_end() == b""


async def test_protocol_ping_sent_with_the_handshake_is_answered_after_it(boards: LiveServer) -> None:
    async with deadline(5), open_socket(boards.address, _TARGET, after=frame_bytes(PING, b"early")) as socket:
        assert socket.response.status == 101
        frames = [await socket.receive() for _ in range(3)]
    assert [frame.payload for frame in frames if frame.opcode == PONG] == [b"early"]


async def test_handshake_in_single_bytes_with_early_frames_is_served(boards: LiveServer) -> None:
    data = opening_request(_TARGET) + _PING * 3
    async with deadline(10), connect(boards.address) as connection:
        for place in range(len(data)):
            await connection.send(data[place : place + 1])
        assert (await connection.read_head()).status == 101
        received = b""
        while received.count(b'"pong"') < 3:
            received += await connection.read_exactly(1)
        assert received.index(b'"hello"') < received.index(b'"state"') < received.index(b'"pong"')


async def test_early_frames_beyond_one_segment_all_come_through(boards: LiveServer) -> None:
    count = 2000
    async with deadline(20), open_socket(boards.address, _TARGET, after=_PING * count) as socket:
        types = [(await socket.receive()).text[:14] for _ in range(count + 2)]
    assert types[:2] == ['{"type":"hello', '{"type":"state']
    assert set(types[2:]) == {'{"type":"pong"'}


@pytest.mark.parametrize("size", [66_000, 700_000])
async def test_upgrade_with_huge_head_is_refused_and_not_left_open(size: int, boards: LiveServer) -> None:
    async with deadline(5), connect(boards.address) as connection:
        await connection.send(opening_request(f"{_TARGET}&filler={'x' * size}"))
        assert (await connection.read_head()).status in {414, 431}
        await connection.read_to_end()


async def test_upgrade_with_a_head_within_the_bound_is_taken(boards: LiveServer) -> None:
    """A browser sends the cookies of its page in one line. The bound is that of every head."""
    async with deadline(5), connect(boards.address) as connection:
        await connection.send(opening_request(f"{_TARGET}&filler={'x' * 60_000}"))
        assert (await connection.read_head()).status == 101


async def test_request_that_is_no_http_is_answered_with_a_problem(boards: LiveServer) -> None:
    async with deadline(5), connect(boards.address) as connection:
        await connection.send(b"\x16\x03\x01 this is TLS\r\n\r\n")
        head = await connection.read_head()
        assert head.status == 400
        assert head.header("Content-Type") == "application/problem+json"
        await connection.read_to_end()
    assert (await exchange(boards.address, "GET", "/api/v1/healthz")).status == 200


async def test_invalid_utf8_in_a_text_frame_closes_1007_without_a_fault(boards: LiveServer) -> None:
    async with deadline(5), open_socket(boards.address, _TARGET) as socket:
        await socket.receive()
        await socket.receive()
        await socket.send_frame(TEXT, b"\xff\xfe")
        assert (await socket.receive()).close[0] == 1007
