"""Origins: one rule for upgrades, CORS, preflights and changes (docs/protocol.md), on real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import Answer, Headers, connect, request_bytes
from tests.kit.raw_socket import open_socket
from tests.live.boards import BOARD, make_boards

pytestmark = pytest.mark.usefixtures("clean_log")

_SOCKETS = [f"/api/v1/ws?boardId={BOARD}", "/api/v1/ws/dashboard", "/graphql"]
_LOCAL = ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"]
_FOREIGN = [
    *("https://foreign.example", "null", "", "http://localhost.foreign.example", "file://", "http://boards.example"),
    *("http://boards.example:8001", "http://boards.example:8000/"),
]
_HOST = "boards.example:8000"
_OWN = f"http://{_HOST}"


@pytest.fixture(scope="module")
async def named() -> AsyncIterator[LiveServer]:
    """Run a server with a public name, as behind a proxy."""
    async with live_server(allowed_hosts="boards.example") as server:
        await make_boards((server.address[0], server.address[1]))
        yield server


def _upgrade(*origins: str) -> Headers:
    return [
        ("Host", _HOST),
        ("Upgrade", "websocket"),
        ("Connection", "keep-alive, Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
        *(("Origin", origin) for origin in origins),
    ]


async def _upgraded(live: LiveServer, target: str, *origins: str) -> Answer:
    async with deadline(10), open_socket(live.address, target, _upgrade(*origins)) as socket:
        response = socket.response
        assert response.status in {101, 400, 403}, response
    return response


async def _called(
    live: LiveServer,
    method: str,
    *origins: str,
    target: str = "/api/v1/projects",
    body: bytes = b"",
    sent: Sequence[tuple[str, str]] = (),
) -> Answer:
    headers = [("Host", _HOST), ("Connection", "close"), ("Content-Length", str(len(body))), *sent]
    headers += [("Origin", origin) for origin in origins]
    async with deadline(10), connect(live.address) as connection:
        await connection.send(request_bytes(method, target, headers, body))
        head = await connection.read_head()
        answer = Answer(head.status, head.reason, head.headers, await connection.read_body(head, method=method))
    assert "Origin" in (answer.header("Vary") or "")
    return answer


def _cors(answer: Answer) -> list[str]:
    return [name for name, _ in answer.headers if name.lower().startswith("access-control")]


def _check_refused(answer: Answer) -> None:
    assert (answer.status, answer.header("Content-Type")) == (403, "application/problem+json")
    assert _cors(answer) == []


@pytest.mark.parametrize("target", _SOCKETS)
async def test_own_origin_and_none_may_upgrade(target: str, named: LiveServer) -> None:
    assert (await _upgraded(named, target)).status == 101
    assert (await _upgraded(named, target, _OWN)).status == 101


@pytest.mark.parametrize("target", [*_SOCKETS, "/api/v1/ws", "/nowhere"])
async def test_foreign_origins_are_refused_before_the_upgrade(target: str, named: LiveServer) -> None:
    for origin in (*_FOREIGN, *_LOCAL):
        answer = await _upgraded(named, target, origin)
        assert (answer.status, answer.header("Content-Type")) == (403, "application/problem+json")
    # A list of origins counts as none (RFC 6454 §7.3), and the library refuses even the handshake.
    assert (await _upgraded(named, target, _OWN, _OWN)).status in {400, 403}


async def test_own_origin_is_echoed_and_a_foreign_one_gets_no_cors_header(named: LiveServer) -> None:
    assert (await _called(named, "GET", _OWN)).header("Access-Control-Allow-Origin") == _OWN
    for strangers in (*((one,) for one in (*_FOREIGN, *_LOCAL)), (), (_OWN, _OWN)):
        answer = await _called(named, "GET", *strangers)
        assert (answer.status, _cors(answer)) == (200, [])


_EVENT = b'{"name":"agent.registered","payload":{"agent":"FOREIGN","label":null}}'
_PROJECT = b'{"name":"Foreign","repositoryPath":"/r"}'
_MUTATION = orjson.dumps(
    {"query": 'mutation { createProject(input: {name: "Foreign", repositoryPath: "/r"}) { __typename } }'}
)
#: Method, address, body and its type: all requests that a page can send without a preflight, and all that need one.
_CHANGES = [
    ("POST", "/api/v1/events", _EVENT, "application/json"),
    ("POST", "/api/v1/events", _EVENT, "text/plain"),
    ("POST", "/api/events", _EVENT, "text/plain+json"),
    ("POST", "/api/v1/projects", _PROJECT, "application/json"),
    ("POST", "/api/v1/projects", _PROJECT, "multipart/form-data"),
    ("PATCH", f"/api/v1/projects/{BOARD}", _PROJECT, "application/json"),
    ("DELETE", f"/api/v1/projects/{BOARD}", b"", "text/plain"),
    ("POST", "/graphql", _MUTATION, "application/json"),
    ("POST", "/graphql", _MUTATION, "text/plain"),
    ("PUT", "/graphql/stream", b"", "text/plain"),
    ("DELETE", "/graphql/stream?token=x&operationId=y", b"", "text/plain"),
    ("POST", "/nowhere", b"", "text/plain"),
]


@pytest.mark.parametrize(("method", "target", "body", "media_type"), _CHANGES)
async def test_foreign_pages_change_nothing(
    method: str, target: str, body: bytes, media_type: str, named: LiveServer
) -> None:
    before = (await _called(named, "GET")).body, (await _called(named, "GET", target="/api/v1/agents")).body
    for origins in (
        ("https://foreign.example",),
        ("null",),
        ("http://localhost:3000",),
        (_OWN, "https://foreign.example"),
    ):
        sent = [("Content-Type", media_type)]
        _check_refused(await _called(named, method, *origins, target=target, body=body, sent=sent))
    assert ((await _called(named, "GET")).body, (await _called(named, "GET", target="/api/v1/agents")).body) == before


async def test_own_pages_and_programs_may_change_things(named: LiveServer) -> None:
    sent = [("Content-Type", "application/json")]
    for origins in ((), (_OWN,)):
        event = b'{"name":"agent.registered","payload":{"agent":"OWN","label":null}}'
        assert (await _called(named, "POST", *origins, target="/api/v1/events", body=event, sent=sent)).status == 202


@pytest.mark.parametrize("setting", ["allow_local_origins", "demo"])
async def test_loopback_origins_are_welcome_where_that_is_said(setting: str) -> None:
    async with live_server(allowed_hosts="boards.example", **{setting: True}) as live:
        for origin in _LOCAL:
            assert (await _upgraded(live, "/api/v1/ws/dashboard", origin)).status == 101
            assert (await _called(live, "GET", origin)).header("Access-Control-Allow-Origin") == origin
        for origin in _FOREIGN:
            assert (await _upgraded(live, "/api/v1/ws/dashboard", origin)).status == 403


async def test_errors_carry_cors_headers_too(named: LiveServer) -> None:
    answer = await _called(named, "PUT", _OWN)
    assert answer.status == 405
    assert answer.header("Access-Control-Allow-Origin") == _OWN


async def test_preflight_of_a_welcome_origin_is_204_with_what_was_asked(named: LiveServer) -> None:
    asked = [("Access-Control-Request-Method", "PATCH"), ("Access-Control-Request-Headers", "content-type,x-a")]
    answer = await _called(named, "OPTIONS", _OWN, sent=asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("Access-Control-Allow-Origin") == _OWN
    assert answer.header("Access-Control-Allow-Methods") == "GET,HEAD,PUT,POST,DELETE,PATCH"
    assert answer.header("Access-Control-Allow-Headers") == "content-type,x-a"
    assert answer.header("Content-Type") is None


async def test_preflight_of_a_foreign_origin_is_403_without_cors_headers(named: LiveServer) -> None:
    for origin in (*_FOREIGN, *_LOCAL):
        _check_refused(await _called(named, "OPTIONS", origin, sent=[("Access-Control-Request-Method", "GET")]))


async def test_allowed_origins_are_welcome_whatever_their_case_and_slash() -> None:
    async with live_server(
        allowed_hosts="boards.example", allowed_origins=" https://Foreign.example/ , https://b.example:8443"
    ) as live:
        for origin, status in [
            ("https://foreign.example", 101),
            ("https://b.example:8443", 101),
            ("https://b.example", 403),
            ("http://foreign.example", 403),
        ]:
            assert (await _upgraded(live, "/api/v1/ws/dashboard", origin)).status == status
        answer = await _called(live, "GET", "https://foreign.example")
        assert answer.header("Access-Control-Allow-Origin") == "https://foreign.example"


async def test_star_lets_everybody_in() -> None:
    async with live_server(allowed_hosts="*", allowed_origins="*") as live:
        for origin in _FOREIGN:
            assert (await _upgraded(live, "/api/v1/ws/dashboard", origin)).status == 101
            assert (await _called(live, "GET", origin)).header("Access-Control-Allow-Origin") == origin
