"""Upgrades that the server ignores (RFC 9110, 7.8): it reads the body, and handles the next bytes as a request."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import Answer, Connection, connect
from tests.live.boards import BOARD, TODO

_CARD = orjson.dumps({"columnId": TODO, "title": "an upgrade that nobody takes"})
_CARDS = f"/api/v1/boards/{BOARD}/cards"
#: A request in the place of a body: the server must never execute it.
_SMUGGLED = b"DELETE /api/v1/boards/board-one/cards/free HTTP/1.1\r\nHost: localhost\r\n\r\n"
#: Headers that Java's HttpClient sends with each unencrypted request, and others.
_UPGRADES = {
    "h2c": "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n",
    "tls": "Connection: upgrade\r\nUpgrade: TLS/1.0, HTTP/2.0\r\n",
    "unknown": "Connection: Upgrade\r\nUpgrade: quantum\r\n",
    "two-lines": "Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: h3\r\n",
    "empty": "Connection: Upgrade\r\nUpgrade:\r\n",
    "websocket": "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
}


def _request(upgrade: str, body: bytes, *, chunked: bool = False, lines: str = "", target: str = _CARDS) -> bytes:
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{lines}{_UPGRADES[upgrade]}"
    if chunked:
        middle = len(body) // 2
        parts = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:middle], body[middle:]))
        return head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def _answer(connection: Connection) -> Answer:
    head = await connection.read_head()
    return Answer(head.status, head.reason, head.headers, await connection.read_body(head))


async def _titles(connection: Connection) -> list[str]:
    await connection.send(f"GET /api/v1/boards/{BOARD} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    state: Any = (await _answer(connection)).json()
    return [card["title"] for card in state["state"]["cards"].values()]


@pytest.mark.parametrize("pieces", [1, 3, 1000])
@pytest.mark.parametrize("chunked", [False, True], ids=["counted", "chunked"])
@pytest.mark.parametrize("upgrade", _UPGRADES)
async def test_body_after_an_upgrade_is_read(upgrade: str, chunked: bool, pieces: int, boards: LiveServer) -> None:
    request = _request(upgrade, _CARD, chunked=chunked)
    size = -(-len(request) // pieces)
    async with deadline(20), connect(boards.address) as connection:
        for place in range(0, len(request), size):
            await connection.send(request[place : place + size])
        assert (await _answer(connection)).status == 201
        assert "an upgrade that nobody takes" in await _titles(connection)


@pytest.mark.parametrize("upgrade", _UPGRADES)
async def test_body_that_looks_like_a_request_is_none(upgrade: str, boards: LiveServer) -> None:
    async with deadline(10), connect(boards.address) as connection:
        before = await _titles(connection)
        request = _request(upgrade, _SMUGGLED)
        await connection.send(request[:-10])
        await connection.send(request[-10:])
        assert (await _answer(connection)).status == 400
        assert await _titles(connection) == before


async def test_requests_after_an_upgrade_are_answered_in_order(boards: LiveServer) -> None:
    get = b"GET /api/v1/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    async with deadline(10), connect(boards.address) as connection:
        await connection.send(get + _request("h2c", _CARD) + get + _request("h2c", b"[]", target="/nowhere") + get)
        assert [(await _answer(connection)).status for _ in range(5)] == [200, 201, 200, 404, 200]


async def test_body_that_waits_for_100_is_asked_for(boards: LiveServer) -> None:
    request = _request("h2c", _CARD, lines="Expect: 100-continue\r\n")
    async with deadline(10), connect(boards.address) as connection:
        await connection.send(request[: -len(_CARD)])
        assert (await connection.read_head()).status == 100
        await connection.send(_CARD)
        assert (await _answer(connection)).status == 201


async def test_graphql_after_an_upgrade_is_answered(boards: LiveServer) -> None:
    body = orjson.dumps({"query": "{ __typename }"})
    async with deadline(10), connect(boards.address) as connection:
        await connection.send(_request("h2c", body, target="/graphql"))
        assert (await _answer(connection)).json() == {"data": {"__typename": "Query"}}


async def test_websocket_among_other_protocols_is_accepted(boards: LiveServer) -> None:
    lines = (
        f"GET /api/v1/ws?boardId={BOARD} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n"
        "Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with deadline(10), connect(boards.address) as connection:
        await connection.send(lines.encode())
        head = await connection.read_head()
        assert (head.status, head.header("Upgrade")) == (101, "websocket")


_GOOD = {
    "Host": "localhost",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
_ADDRESSES = (f"/api/v1/ws?boardId={BOARD}", "/api/v1/ws/dashboard", "/graphql", "/nowhere", "/static/index.css")


@pytest.mark.parametrize("target", _ADDRESSES)
@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Sec-WebSocket-Version", "8", 426),
        ("Sec-WebSocket-Version", "0", 426),
        ("Sec-WebSocket-Version", None, 400),
        ("Sec-WebSocket-Key", "AAAA", 400),
        ("Sec-WebSocket-Key", None, 400),
    ],
)
async def test_handshake_with_a_fault_is_a_problem_with_our_version(
    name: str, value: str | None, status: int, target: str, boards: LiveServer
) -> None:
    fields = {**_GOOD, name: value}
    lines = "".join(f"{field}: {given}\r\n" for field, given in fields.items() if given is not None)
    async with deadline(10), connect(boards.address) as connection:
        await connection.send(f"GET {target} HTTP/1.1\r\nAccept: text/html\r\n{lines}\r\n".encode() + _SMUGGLED)
        answer = await _answer(connection)
        assert answer.status == status
        assert answer.header("Content-Type") == "application/problem+json"
        assert answer.header("Sec-WebSocket-Version") == "13"
        assert answer.header("X-Request-Id")
        assert status != 426 or answer.header("Upgrade") == "websocket"
        # The client means the next bytes as frames.
        assert await connection.read_to_end() == b""


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("Sec-WebSocket-Version: 13", 400),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", 400),
        ("Origin: http://a\r\nOrigin: http://b", 403),
        ("Host: elsewhere", 400),
        ("no field", 400),
        ("X: a\nb", 400),
        ("\r\n".join(["X: y"] * 200), 431),
        ("X: " + "y" * 70_000, 431),
    ],
    ids=["version", "key", "origin", "host", "no field", "line feed", "lines", "bytes"],
)
async def test_handshake_whose_head_is_none_is_a_problem_with_our_version(
    line: str, status: int, boards: LiveServer
) -> None:
    lines = "".join(f"{field}: {given}\r\n" for field, given in _GOOD.items())
    async with deadline(10), connect(boards.address) as connection:
        await connection.send(f"GET /graphql HTTP/1.1\r\n{lines}{line}\r\n\r\n".encode())
        answer = await _answer(connection)
    assert (answer.status, answer.header("Content-Type")) == (status, "application/problem+json")
    assert answer.header("Sec-WebSocket-Version") == "13"


@pytest.mark.parametrize(("target", "status"), [("/api/v1/ws", 400), ("/nowhere", 404)])
async def test_handshake_refused_for_its_address_names_our_version(
    target: str, status: int, boards: LiveServer
) -> None:
    lines = "".join(f"{field}: {given}\r\n" for field, given in _GOOD.items())
    async with deadline(10), connect(boards.address) as connection:
        await connection.send(f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode())
        answer = await _answer(connection)
    assert (answer.status, answer.header("Content-Type")) == (status, "application/problem+json")
    assert answer.header("Sec-WebSocket-Version") == "13"


@pytest.mark.parametrize("target", [f"/api/v1/ws?boardId={BOARD}", "/api/v1/ws/dashboard"])
async def test_handshake_by_another_method_is_405_with_allow(target: str, boards: LiveServer) -> None:
    lines = "".join(f"{field}: {given}\r\n" for field, given in _GOOD.items())
    async with deadline(10), connect(boards.address) as connection:
        await connection.send(f"POST {target} HTTP/1.1\r\n{lines}Content-Length: 0\r\n\r\n".encode())
        answer = await _answer(connection)
    assert answer.status == 405
    assert "GET" in (answer.header("Allow") or "")
