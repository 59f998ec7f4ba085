"""Access (docs/protocol.md): each exit × no token, a wrong token, the right token in each possible place."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import Address, Answer, Headers, connect, exchange, request_bytes
from tests.kit.raw_socket import RawSocket, open_socket
from tests.live.command import running
from tests.live.graphql.client import ACK, INIT, OLDER, Client, open_client

TOKEN, SECOND, WRONG = "right-token-0123456789", "second~token/0123456789==", "wrong-token-0123456789"
_NEWER = "graphql-transport-ws"
_WAIT_UNITS = 10
_EVENT = b'{"name":"agent.registered","payload":{"agent":"A","label":null}}'
_OPERATION = b'{"query":"{ __typename }"}'
_RESERVED_OPERATION = b'{"query":"{ __typename }","extensions":{"operationId":"1"}}'
_SUBSCRIPTION = b'{"query":"subscription { dashboardOverview { __typename } }"}'
_UPGRADE = [
    ("Host", "127.0.0.1"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]


@dataclass(frozen=True)
class Exit:
    """An address over HTTP, and its answer to a client with access."""

    method: str
    target: str
    status: int
    body: bytes = b""
    accept: str = "*/*"


_GRAPHQL_GET = f"/graphql?{urlencode({'query': '{ __typename }'})}"
_PERSISTED_GET = f"/graphql?{urlencode({'extensions': '{}'})}"
_HTTP = {
    "rest": Exit("GET", "/api/v1/projects", 200),
    "rest-shim": Exit("GET", "/api/projects", 200),
    "rest-write": Exit("DELETE", "/api/v1/projects/none", 404),
    "ingest": Exit("POST", "/api/v1/events", 202, _EVENT),
    "board-sse": Exit("GET", "/api/v1/sse?boardId=none", 404),
    "dashboard-sse": Exit("GET", "/api/v1/sse", 200),
    "graphql-post": Exit("POST", "/graphql", 200, _OPERATION),
    "graphql-get": Exit("GET", _GRAPHQL_GET, 200),
    "graphql-get-in-browser": Exit("GET", _GRAPHQL_GET, 200, accept="text/html, */*"),
    "graphql-get-by-id": Exit("GET", "/graphql?documentId=none", 200, accept="application/json, text/html;q=0.1"),
    "graphql-sse-get-by-id": Exit("GET", "/graphql?documentId=none", 200, accept="text/event-stream, text/html;q=0.1"),
    "graphql-get-by-extension": Exit("GET", _PERSISTED_GET, 400, accept="application/json, text/html;q=0.1"),
    "graphql-without-query": Exit("GET", "/graphql", 400),
    "graphql-sse": Exit("POST", "/graphql", 200, _OPERATION, "text/event-stream"),
    "graphql-sse-get": Exit("GET", _GRAPHQL_GET, 200, accept="text/event-stream"),
    "graphql-multipart": Exit("POST", "/graphql", 200, _SUBSCRIPTION, 'multipart/mixed;subscriptionSpec="1.0"'),
    "graphql-reservation": Exit("PUT", "/graphql/stream", 201),
    "graphql-reserved": Exit("GET", "/graphql/stream?token=none", 404, accept="text/html, text/event-stream"),
    "unknown": Exit("GET", "/nowhere", 404),
}
_SOCKETS = ["/api/v1/ws?boardId=none", "/api/v1/ws/dashboard", "/api/ws/dashboard"]
_OPEN = [
    "/",
    "/dashboard",
    "/api/v1/healthz",
    "/api/v1/readyz",
    "/api/v1/version",
    "/api/healthz",
    "/static/operations.json",
]

pytestmark = pytest.mark.usefixtures("clean_log")


@pytest.fixture(scope="module")
async def guarded() -> AsyncIterator[LiveServer]:
    """Run one server that requires a token."""
    async with live_server(tokens=f"{TOKEN}, {SECOND}") as server:
        yield server


def _by(way: str, target: str, token: str) -> tuple[str, Headers]:
    """Return the target and the headers that carry `token` in one way."""
    match way:
        case "query":
            return f"{target}{'&' if '?' in target else '?'}{urlencode({'access_token': token})}", []
        case "subprotocol":
            return target, [("Sec-WebSocket-Protocol", f"bearer.{token}")]
        case _:
            return target, [("Authorization", f"{way} {token}")]


_RESERVED = {
    "open": Exit("GET", "/graphql/stream?", 200, accept="text/event-stream"),
    "begin": Exit("POST", "/graphql/stream?", 202, _RESERVED_OPERATION),
    "stop": Exit("DELETE", "/graphql/stream?operationId=1", 200),
}


async def _call(address: Address, exit_: Exit, target: str, headers: Headers) -> Answer:
    """Return the answer. Its body is read only if it is a refusal, because a stream's body would not end."""
    sent = [("Host", "127.0.0.1"), ("Accept", exit_.accept), ("Content-Type", "application/json"), *headers]
    async with deadline(_WAIT_UNITS), connect(address) as connection:
        sent.append(("Content-Length", str(len(exit_.body))))
        await connection.send(request_bytes(exit_.method, target, sent, exit_.body))
        head = await connection.read_head()
        body = await connection.read_body(head) if head.status in (401, 404) else b""
        return Answer(head.status, head.reason, head.headers, body)


async def _handshake(address: Address, target: str, headers: Headers) -> Answer:
    async with deadline(_WAIT_UNITS), open_socket(address, target, [*_UPGRADE, *headers]) as socket:
        return socket.response


def _check_refused(answer: Answer, challenge: str) -> None:
    assert (answer.status, answer.header("Content-Type")) == (401, "application/problem+json")
    assert answer.header("WWW-Authenticate") == challenge
    assert WRONG.encode() not in answer.body


_ABSENT, _INVALID = "Bearer", 'Bearer error="invalid_token"'


@pytest.mark.parametrize("name", _HTTP)
async def test_http_without_token_is_401(name: str, guarded: LiveServer) -> None:
    exit_ = _HTTP[name]
    _check_refused(await _call(guarded.address, exit_, exit_.target, []), _ABSENT)
    _check_refused(await _call(guarded.address, exit_, exit_.target, [("Authorization", f"Basic {TOKEN}")]), _ABSENT)
    # Only a handshake has subprotocols.
    protocol = [("Sec-WebSocket-Protocol", f"bearer.{TOKEN}")]
    _check_refused(await _call(guarded.address, exit_, exit_.target, protocol), _ABSENT)


@pytest.mark.parametrize("way", ["Bearer", "query"])
@pytest.mark.parametrize("name", _HTTP)
async def test_http_with_wrong_token_is_401(name: str, way: str, guarded: LiveServer) -> None:
    for token in (WRONG, TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "", "ü"):
        target, headers = _by(way, _HTTP[name].target, token)
        _check_refused(await _call(guarded.address, _HTTP[name], target, headers), _INVALID)


@pytest.mark.parametrize("way", ["Bearer", "bearer", "query"])
@pytest.mark.parametrize("name", _HTTP)
async def test_http_with_right_token_is_served(name: str, way: str, guarded: LiveServer) -> None:
    for token in (TOKEN, SECOND):
        target, headers = _by(way, _HTTP[name].target, token)
        assert (await _call(guarded.address, _HTTP[name], target, headers)).status == _HTTP[name].status


@pytest.mark.parametrize("name", _RESERVED)
async def test_reserved_stream_serves_only_the_client_that_reserved_it(name: str, guarded: LiveServer) -> None:
    """Its results are those of the operations of that client, also if the stream's token has become known."""

    def by(token: str) -> Headers:
        return [("Authorization", f"Bearer {token}")]

    async with deadline(_WAIT_UNITS):
        reserved = (await exchange(guarded.address, "PUT", "/graphql/stream", headers=by(TOKEN))).body.decode()
    asked = _RESERVED[name]
    known, unknown = (f"{asked.target}&token={one}" for one in (reserved, "none"))
    refused, none = [await _call(guarded.address, asked, target, by(SECOND)) for target in (known, unknown)]
    assert (refused.status, refused.body) == (404, none.body)
    assert (await _call(guarded.address, asked, known, by(TOKEN))).status == asked.status


@pytest.mark.parametrize("target", [*_SOCKETS, "/nowhere", "/graphql/nowhere"])
async def test_raw_socket_without_token_is_refused_before_the_upgrade(target: str, guarded: LiveServer) -> None:
    _check_refused(await _handshake(guarded.address, target, []), _ABSENT)


@pytest.mark.parametrize("way", ["Bearer", "query", "subprotocol"])
@pytest.mark.parametrize("target", [*_SOCKETS, "/graphql"])
async def test_socket_with_wrong_token_is_refused_before_the_upgrade(
    target: str, way: str, guarded: LiveServer
) -> None:
    sent, headers = _by(way, target, WRONG)
    _check_refused(await _handshake(guarded.address, sent, headers), _INVALID)


@pytest.mark.parametrize("way", ["Bearer", "query", "subprotocol"])
@pytest.mark.parametrize("target", _SOCKETS)
async def test_raw_socket_with_right_token_is_upgraded(target: str, way: str, guarded: LiveServer) -> None:
    sent, headers = _by(way, target, TOKEN)
    assert (await _handshake(guarded.address, sent, headers)).status == 101


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (f"bearer.{TOKEN}", f"bearer.{TOKEN}"),  # a browser fails if the server selects none
        (f"bearer.{TOKEN}, kanban, other", "kanban"),
        (f"kanban, bearer.{TOKEN}", "kanban"),
        ("kanban, other", "kanban"),
    ],
)
@pytest.mark.parametrize("with_tokens", [True, False])
async def test_token_is_echoed_as_subprotocol_only_when_it_stands_alone(
    offered: str, chosen: str, with_tokens: bool, guarded: LiveServer, standing: LiveServer
) -> None:
    address = (guarded if with_tokens else standing).address
    headers = [("Sec-WebSocket-Protocol", offered), ("Authorization", f"Bearer {TOKEN}")]
    answer = await _handshake(address, "/api/v1/ws/dashboard", headers)
    assert (answer.status, answer.header("Sec-WebSocket-Protocol")) == (101, chosen)


async def _check_runs(client: Client, subprotocol: str) -> None:
    """Read the acknowledgement and execute an operation."""
    await client.expect(ACK)
    if subprotocol == OLDER:
        await client.expect({"type": "ka"})
    start = "start" if subprotocol == OLDER else "subscribe"
    await client.send({"id": "1", "type": start, "payload": {"query": "{ __typename }"}})
    message = await client.message()
    assert (message["id"], message["payload"]) == ("1", {"data": {"__typename": "Query"}})


@pytest.mark.parametrize("way", ["Bearer", "query", "subprotocol"])
@pytest.mark.parametrize("subprotocol", [_NEWER, OLDER])
async def test_right_token_in_the_handshake_is_enough_for_graphql(
    subprotocol: str, way: str, guarded: LiveServer
) -> None:
    target, headers = _by(way, "/graphql", TOKEN)
    if way == "subprotocol":
        offered, headers = f"bearer.{TOKEN}, {subprotocol}", []
    else:
        offered = subprotocol
    async with open_client(guarded.address, offered, target=target, headers=headers) as client:
        assert client.socket.response.header("Sec-WebSocket-Protocol") == subprotocol
        await client.send(INIT)
        await _check_runs(client, subprotocol)


@pytest.mark.parametrize("subprotocol", [_NEWER, OLDER])
async def test_wrong_token_in_the_handshake_is_refused_though_init_could_have_one(
    subprotocol: str, guarded: LiveServer
) -> None:
    headers = [("Sec-WebSocket-Protocol", f"{subprotocol}, bearer.{WRONG}")]
    _check_refused(await _handshake(guarded.address, "/graphql", headers), _INVALID)


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": f"Bearer {TOKEN}"},
        {"Authorization": f"bearer {SECOND}"},
        {"AUTHORIZATION": TOKEN},
        {"token": TOKEN},
        {"Token": f"Bearer {TOKEN}", "other": 1},
        {"token": None, "authorization": TOKEN},
    ],
    ids=str,
)
@pytest.mark.parametrize("subprotocol", [_NEWER, OLDER])
async def test_right_token_in_init_is_acknowledged(
    payload: dict[str, object], subprotocol: str, guarded: LiveServer
) -> None:
    async with open_client(guarded.address, subprotocol) as client:
        await client.send({**INIT, "payload": payload})
        await _check_runs(client, subprotocol)


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"token": WRONG}, {"authorization": f"Bearer {WRONG}"}, {"token": [TOKEN]}, {"key": TOKEN}],
    ids=str,
)
@pytest.mark.parametrize("subprotocol", [_NEWER, OLDER])
async def test_init_without_right_token_closes_4403(
    payload: dict[str, object] | None, subprotocol: str, guarded: LiveServer
) -> None:
    async with open_client(guarded.address, subprotocol) as client:
        await client.send({**INIT, "payload": payload})
        if subprotocol == OLDER:
            await client.expect({"type": "connection_error", "payload": {"message": "Forbidden"}})
        assert await client.closed() == (4403, "Forbidden")


async def test_subscribe_before_init_closes_4401(guarded: LiveServer) -> None:
    for subprotocol, start in ((_NEWER, "subscribe"), (OLDER, "start")):
        async with open_client(guarded.address, subprotocol) as client:
            await client.send({"id": "1", "type": start, "payload": {"query": "{ __typename }"}})
            if subprotocol == OLDER:
                await client.expect({"type": "connection_error", "payload": {"message": "Unauthorized"}})
            assert await client.closed() == (4401, "Unauthorized")


@pytest.mark.parametrize("target", _OPEN)
async def test_page_and_health_need_no_token(target: str, guarded: LiveServer) -> None:
    for headers in ([], [("Authorization", f"Bearer {WRONG}")]):
        async with deadline(_WAIT_UNITS):
            assert (await exchange(guarded.address, "GET", target, headers=headers)).status == 200


async def test_graphiql_needs_no_token(guarded: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        answer = await exchange(guarded.address, "GET", "/graphql", headers=[("Accept", "text/html")])
    assert (answer.status, answer.header("Content-Type")) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "target", ["/static/../api/v1/projects", "/static/%2e%2e/api/v1/projects", "/api/v1/healthz/x", "//api/v1/projects"]
)
async def test_address_that_looks_open_reveals_nothing(target: str, guarded: LiveServer) -> None:
    async with deadline(_WAIT_UNITS):
        assert (await exchange(guarded.address, "GET", target)).status in {401, 404}


async def test_preflight_needs_no_token_and_a_refusal_can_be_read_by_scripts(guarded: LiveServer) -> None:
    origin = [("Origin", guarded.url)]
    asked = [*origin, ("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "authorization")]
    async with deadline(_WAIT_UNITS):
        preflight = await exchange(guarded.address, "OPTIONS", "/api/v1/projects", headers=asked)
        refused = await exchange(guarded.address, "GET", "/api/v1/projects", headers=origin)
    assert (preflight.status, preflight.header("Access-Control-Allow-Headers")) == (204, "authorization")
    assert (refused.status, refused.header("Access-Control-Allow-Origin")) == (401, guarded.url)


async def test_without_tokens_everybody_is_served_whatever_they_say(standing: LiveServer) -> None:
    for way in ("Bearer", "query"):
        target, headers = _by(way, "/api/v1/projects", WRONG)
        assert (await _call(standing.address, _HTTP["rest"], target, headers)).status == 200
    for subprotocol in (_NEWER, OLDER):
        async with open_client(standing.address, subprotocol) as client:
            await client.send({**INIT, "payload": {"token": WRONG}})
            await _check_runs(client, subprotocol)


async def test_token_appears_in_no_output(tmp_path: Path) -> None:
    env = {"BOARDCAST_TOKENS": TOKEN}
    async with running(tmp_path, "--log-level", "debug", env=env) as server, deadline(20):
        for token in (TOKEN, WRONG):
            for way in ("Bearer", "query"):
                for name in ("rest", "dashboard-sse", "graphql-get", "unknown"):
                    target, headers = _by(way, _HTTP[name].target, token)
                    await _call(server.address, _HTTP[name], target, headers)
            for way, target in (("Bearer", _SOCKETS[0]), ("query", _SOCKETS[1]), ("subprotocol", "/graphql")):
                sent, headers = _by(way, target, token)
                await _handshake(server.address, sent, headers)
            async with connect(server.address) as connection:
                sent, headers = _by("query", "/api/v1/projects", token)
                await connection.send(request_bytes("G@T", sent, headers))  # not HTTP
                await connection.read_to_end()
            async with connect(server.address) as connection:
                target, headers = _by("query", "/api/v1/ws/dashboard", TOKEN)
                socket = await RawSocket.handshake(connection, target, [*_UPGRADE, *headers])
                await socket.send_frame(0x3, token.encode())  # a reserved opcode
                await connection.read_to_end()
        server.send_signal(signal.SIGTERM)
        end = await server.wait()
    assert end.code == 0
    for secret in (TOKEN, WRONG):
        assert secret not in end.out + end.err, end.err
