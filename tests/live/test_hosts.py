"""Names in `Host` (docs/protocol.md), on real sockets: a page whose name was pointed at 127.0.0.1 gets nothing."""

from __future__ import annotations

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import Answer, connect, request_bytes
from tests.kit.raw_socket import open_socket

pytestmark = pytest.mark.usefixtures("clean_log")

_TOKEN = "right-token-0123456789"
_UPGRADE = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
]
_TARGETS = [
    "/",
    "/graphql",
    "/api/v1/projects",
    "/api/v1/healthz",
    "/api/v1/sse",
    "/metrics",
    "/static/index.js",
    "/nowhere",
]
_REBOUND = ["foreign.example", "foreign.example:8000", "localhost.foreign.example", "0.0.0.0", "192.168.0.1:8000"]


async def _called(live: LiveServer, method: str, target: str, host: str) -> Answer:
    headers = [("Host", host), ("Connection", "close"), ("Content-Length", "0"), ("Origin", f"http://{host}")]
    async with deadline(10), connect(live.address) as connection:
        await connection.send(request_bytes(method, target, headers))
        head = await connection.read_head()
        body = await connection.read_body(head, method=method) if head.status != 200 else b""
        return Answer(head.status, head.reason, head.headers, body)


async def _upgraded(live: LiveServer, target: str, host: str) -> Answer:
    async with deadline(10), open_socket(live.address, target, [("Host", host), *_UPGRADE]) as socket:
        return socket.response


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("target", _TARGETS)
async def test_rebound_name_is_421_whatever_the_method(method: str, target: str, standing: LiveServer) -> None:
    for host in _REBOUND:
        answer = await _called(standing, method, target, host)
        assert (answer.status, answer.header("Content-Type")) == (421, "application/problem+json"), host
        assert answer.header("X-Request-Id")
        assert answer.header("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("target", ["/api/v1/ws/dashboard", "/graphql", "/nowhere"])
async def test_rebound_name_is_421_for_upgrades(target: str, standing: LiveServer) -> None:
    for host in _REBOUND:
        answer = await _upgraded(standing, target, host)
        assert (answer.status, answer.header("Content-Type")) == (421, "application/problem+json"), host


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "localhost.", "boards.localhost:8000", "127.3.2.1", "[::1]:8000"]
)
async def test_loopback_names_are_this_server(host: str, standing: LiveServer) -> None:
    assert (await _called(standing, "GET", "/api/v1/projects", host)).status == 200
    assert (await _upgraded(standing, "/graphql", host)).status == 101


async def test_allowed_hosts_are_names_of_a_local_server_too() -> None:
    async with live_server(allowed_hosts="Boards.example, other.example:8443") as live:
        for host, status in [
            ("boards.example", 200),
            ("boards.EXAMPLE.:80", 200),
            ("other.example:8443", 200),
            ("localhost", 200),
            ("other.example", 421),
            ("foreign.example", 421),
        ]:
            assert (await _called(live, "GET", "/api/v1/projects", host)).status == status, host


async def test_with_authentication_every_name_passes_until_some_are_given() -> None:
    async with live_server(tokens=_TOKEN) as live:
        assert (await _called(live, "GET", "/api/v1/healthz", "foreign.example")).status == 200
    async with live_server(tokens=_TOKEN, allowed_hosts="boards.example") as live:
        assert (await _called(live, "GET", "/api/v1/healthz", "boards.example")).status == 200
        assert (await _called(live, "GET", "/api/v1/healthz", "foreign.example")).status == 421
