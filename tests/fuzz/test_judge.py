"""The judge detects faults: it reports small servers that misbehave, and it does not report a correct one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.fuzz.exchange import carry_out
from tests.fuzz.inputs import Input, Leave, Say, Step, Talk
from tests.fuzz.judge import Fault, Kind, is_turned_away, judge, log_faults
from tests.kit.deadline import deadline
from tests.kit.raw_http import Address
from tests.kit.raw_socket import CLOSE, TEXT

_GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
_UPGRADE = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
_WAIT_UNITS = 20
#: The time after which a server counts as hanging, so that the test is short.
_HANG_UNITS = 0.2

_Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def _input(talk: Talk = Talk.HTTP, *steps: Step, owed: int = 1) -> Input:
    return Input(1, 7, "entry", talk, steps or (Say(_GET),), owed)


@asynccontextmanager
async def _serving(serve: _Serve) -> AsyncIterator[Address]:
    """Run a server that handles each connection with the given function and then closes it.

    The end wakes waiting ones.
    """

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield host, port


def _answering(answer: bytes) -> _Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return serve


async def _hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # until the client leaves


def _answer(status: int, body: bytes, *lines: bytes) -> bytes:
    more = b"".join(line + b"\r\n" for line in lines)
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), more, body)


async def _judged(serve: _Serve, one: Input) -> list[Fault]:
    async with deadline(_WAIT_UNITS), _serving(serve) as address:
        return judge(one, await carry_out(one, address, hang_units=_HANG_UNITS))


def _server_frame(opcode: int, payload: bytes) -> bytes:
    return bytes([0x80 | opcode, len(payload)]) + payload


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (_answer(500, b"{}"), Kind.SERVER_ERROR),
        (_answer(502, b""), Kind.SERVER_ERROR),
        (_answer(503, b"{}"), Kind.SERVER_ERROR),
        (_answer(503, b"The store does not answer", b"Retry-After: 1"), Kind.SERVER_ERROR),
        (_answer(200, b'{"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}'), Kind.SERVER_ERROR),
        (_answer(422, b"(sqlite3.OperationalError) [SQL: SELECT 1]"), Kind.SERVER_ERROR),
        (b"", Kind.UNENDED),
        (_answer(200, b"{}")[:-1], Kind.UNENDED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Kind.UNENDED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nrubbish that is no chunk", Kind.UNENDED),
        (b"HTTP/1.1 200", Kind.UNENDED),
        (b"SSH-2.0-x\r\n", Kind.UNENDED),
    ],
)
async def test_answer_that_must_not_be_is_caught(answer: bytes, kind: Kind) -> None:
    found = await _judged(_answering(answer), _input())
    assert {fault.kind for fault in found} == {kind}
    assert {fault.numbers for fault in found} == {(7,)}


@pytest.mark.parametrize(
    "answer",
    [
        _answer(200, b"{}"),
        _answer(204, b""),
        b"HTTP/1.1 100 Continue\r\n\r\n" + _answer(404, b"{}"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: hello\n\n",
        _answer(501, b"{}"),
        _answer(503, b"{}", b"Retry-After: 1"),
    ],
)
async def test_answer_that_may_be_is_no_fault(answer: bytes) -> None:
    assert await _judged(_answering(answer), _input()) == []


async def test_server_without_an_answer_hangs() -> None:
    assert [fault.kind for fault in await _judged(_hanging, _input())] == [Kind.HANG]


async def test_server_that_keeps_a_half_closed_connection_hangs() -> None:
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await over.wait()

    one = _input(Talk.HTTP, Say(b"GET /"), Leave("half-close"), owed=0)
    async with _serving(serve) as address, deadline(_WAIT_UNITS):
        found = judge(one, await carry_out(one, address, hang_units=_HANG_UNITS))
        over.set()
    assert [fault.kind for fault in found] == [Kind.HANG]


async def test_unfinished_request_may_end_without_an_answer() -> None:
    one = _input(Talk.HTTP, Say(b"GET / HTTP/1.1\r\n\r"), Leave("half-close"), owed=0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    assert await _judged(serve, one) == []


async def test_fewer_answers_than_requests_need_a_close() -> None:
    one = _input(Talk.HTTP, Say(_GET * 2), owed=2)
    assert [fault.kind for fault in await _judged(_answering(_answer(200, b"{}")), one)] == [Kind.UNENDED]
    assert await _judged(_answering(_answer(400, b"{}", b"Connection: close")), one) == []


async def test_answer_to_head_has_no_body() -> None:
    one = _input(Talk.HTTP, Say(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"))
    assert await _judged(_answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), one) == []


def _socket(*frames: bytes, waits: bool = True) -> _Serve:
    """Upgrade, wait for the client's first bytes, send these frames, and end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_UPGRADE)
        if waits:
            await reader.read(1)
        writer.write(b"".join(frames))
        await writer.drain()

    return serve


_TO_SOCKET = (Say(_GET),)


@pytest.mark.parametrize(
    ("frames", "kind"),
    [
        ([], Kind.UNENDED),
        ([_server_frame(TEXT, b"{}")], Kind.UNENDED),
        ([_server_frame(CLOSE, (1006).to_bytes(2, "big"))], Kind.UNENDED),
        ([_server_frame(CLOSE, (1011).to_bytes(2, "big"))], Kind.SERVER_ERROR),
        ([b"\x01\x01x"], Kind.UNENDED),
        ([b"\x81\x81\x00\x00\x00\x00x"], Kind.UNENDED),
        (
            [_server_frame(TEXT, b'{"code":"internal_error"}'), _server_frame(CLOSE, b"\x03\xe8")],
            Kind.SERVER_ERROR,
        ),
    ],
)
async def test_end_of_a_socket_that_must_not_be_is_caught(frames: list[bytes], kind: Kind) -> None:
    found = await _judged(_socket(*frames), _input(Talk.WEBSOCKET, *_TO_SOCKET))
    assert {fault.kind for fault in found} == {kind}


@pytest.mark.parametrize("code", [1000, 1002, 1007, 1009, 4400])
async def test_socket_that_ends_with_a_code_is_no_fault(code: int) -> None:
    frames = _server_frame(CLOSE, code.to_bytes(2, "big"))
    assert await _judged(_socket(frames), _input(Talk.WEBSOCKET, *_TO_SOCKET)) == []


async def test_socket_without_a_pong_hangs() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_UPGRADE)
        await reader.read()

    found = await _judged(serve, _input(Talk.WEBSOCKET, *_TO_SOCKET))
    assert [fault.kind for fault in found] == [Kind.HANG]


async def test_refusal_for_a_limit_is_counted_apart() -> None:
    for answer, expected in ((_answer(429, b"", b"Retry-After: 1"), True), (_answer(200, b""), False)):
        async with deadline(_WAIT_UNITS), _serving(_answering(answer)) as address:
            assert is_turned_away(_input(), await carry_out(_input(), address)) is expected


def test_log_lines_of_faults_are_found() -> None:
    lines = [
        r'event="In ASGI" exception="Traceback (most recent call last):\n  File \"server/x.py\"\nKeyError: 1"',
        "event=x level=critical",
        "Task exception was never retrieved",
        "event=fine level=info",
        "event=odd level=warning",
    ]
    found = log_faults("\n".join(lines))
    assert len(found) == 3
    assert "KeyError: 1" in found[0]
