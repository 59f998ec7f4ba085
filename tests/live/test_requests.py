"""Requests as bytes: an invalid request is refused at once and clearly, a valid one gets its complete answer."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import connect
from tests.live.boards import BOARD

_POST = b"POST /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_GRAPHQL = (
    b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
    b'{"query":"{__typename}"}'
)
_HEALTH = b"GET /api/v1/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def _talk(live: LiveServer, data: bytes, *, half_close: bool = False) -> bytes:
    """Send `data` and return everything until the server closes."""
    async with deadline(10), connect(live.address) as connection:
        await connection.send(data)
        if half_close:
            await connection.half_close()
        return await connection.read_to_end()


def _status(answer: bytes) -> int:
    """Return the status of the only answer, which is a problem and the last on its connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 ")
    lines = head.lower().split(b"\r\n")
    assert b"connection: close" in lines
    assert b"content-type: application/problem+json" in lines
    problem: dict[str, Any] = orjson.loads(body)
    assert problem["detail"].startswith("expected ")
    return int(head[9:12])


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: u@x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: x\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: \x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400),
        (b"GET /\r\n", 400),
        (b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GE(T / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 501),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (_POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (_POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (_POST + b"Content-Length: +2\r\n\r\n{}", 400),
        (_POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (_POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (_POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n0\r\n\r\n", 400),
        (_POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"GET /" + b"x" * 2_000_000, 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"x" * 2_000_000, 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 200_000 + b"\r\n", 431),
    ],
)
async def test_request_that_is_none_is_a_problem_and_the_last(request_: bytes, status: int, live: LiveServer) -> None:
    assert _status(await _talk(live, request_)) == status
    # The server reads nothing that follows.
    assert _status(await _talk(live, request_ + _HEALTH)) == status


async def test_refusal_of_a_body_comes_instead_of_the_answer(live: LiveServer) -> None:
    answer = await _talk(live, _HEALTH + _POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{zz\r\n")
    first, _, rest = answer.partition(b'{"ok":true}')
    assert first.startswith(b"HTTP/1.1 200 ")
    assert _status(rest) == 400


async def test_many_requests_in_one_segment_are_answered_in_order(live: LiveServer) -> None:
    count = 500
    async with deadline(20), connect(live.address) as connection:
        await connection.send(_HEALTH * count)
        for _ in range(count):
            head = await connection.read_head()
            assert head.status == 200
            await connection.read_body(head)


async def test_absolute_target_is_taken(live: LiveServer) -> None:
    request = b"GET http://127.0.0.1/api/v1/healthz HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n"
    assert (await _talk(live, request)).startswith(b"HTTP/1.1 200 ")


async def test_unknown_method_is_405(live: LiveServer) -> None:
    answer = await _talk(live, b"BREW /api/v1/projects HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize("connection", [b"", b"Connection: keep-alive\r\n"])
async def test_http_1_0_gets_no_chunks_and_the_end_of_the_connection(connection: bytes, boards: LiveServer) -> None:
    answer = await _talk(boards, b"GET /api/v1/projects HTTP/1.0\r\n" + connection + b"\r\n" + _HEALTH)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"transfer-encoding" not in head.lower()
    assert b"connection: close" in head.lower()
    assert orjson.loads(body)


@pytest.mark.parametrize("target", [f"/api/v1/sse?boardId={BOARD}", "/api/v1/sse"])
async def test_stream_for_http_1_0_ends_with_the_connection(target: str, boards: LiveServer) -> None:
    async with deadline(10), connect(boards.address) as connection:
        await connection.send(f"GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        head = await connection.read_head()
        assert head.status == 200
        assert head.header("Transfer-Encoding") is None
        assert [value for name, value in head.headers if name.lower() == "connection"] == ["close"]
        assert await connection.read_exactly(12) == b"event: hello"


async def test_upgrade_of_http_1_0_is_ignored(boards: LiveServer) -> None:
    request = (
        f"GET /api/v1/ws?boardId={BOARD} HTTP/1.0\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert (await _talk(boards, request.encode())).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /api/v1/projects HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/v1/projects HTTP/1.0\r\n\r\n",
        _HEALTH * 5,
        _GRAPHQL,
    ],
    ids=["1.1", "1.0", "pipelined", "graphql"],
)
async def test_client_that_closes_its_side_gets_its_answer(request_: bytes, boards: LiveServer) -> None:
    answer = await _talk(boards, request_, half_close=True)
    assert answer.count(b"HTTP/1.1 200 ") == request_.count(b" HTTP/1")


@pytest.mark.parametrize("target", [f"/api/v1/sse?boardId={BOARD}", "/api/v1/sse"])
async def test_stream_whose_client_closes_its_side_begins_and_ends(target: str, boards: LiveServer) -> None:
    answer = await _talk(boards, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), half_close=True)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"event: hello" in answer


@pytest.mark.parametrize(
    "part",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        _POST + b"Content-Length: 9\r\n\r\n{}",
        _POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["head", "counted", "chunked"],
)
async def test_half_a_request_whose_client_closes_its_side_is_400(part: bytes, live: LiveServer) -> None:
    assert _status(await _talk(live, part, half_close=True)) == 400


async def test_refused_body_is_not_read_to_its_end(live: LiveServer) -> None:
    request = _POST + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 100_000
    answer = await _talk(live, request)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()
