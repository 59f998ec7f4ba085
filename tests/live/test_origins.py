"""Origins, one rule for upgrades, CORS and preflights (contract §7), on real sockets."""

from __future__ import annotations

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import Answer, Headers, exchange
from tests.kit.raw_socket import open_socket
from tests.live.boards import BOARD

pytestmark = pytest.mark.usefixtures("clean_log")

_SOCKETS = [f"/api/v1/ws?boardId={BOARD}", "/api/v1/ws/dashboard", "/graphql"]
_WELCOME = [None, "http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443", "http://boards.example:8000"]
_FOREIGN = ["https://foreign.example", "null", "http://localhost.foreign.example", "file://", "http://boards.example"]
_HOST = "boards.example:8000"


def _upgrade(origin: str | None) -> Headers:
    headers = [
        ("Host", _HOST),
        ("Upgrade", "websocket"),
        ("Connection", "keep-alive, Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
    ]
    return headers if origin is None else [*headers, ("Origin", origin)]


async def _upgraded(live: LiveServer, target: str, origin: str | None) -> Answer:
    async with deadline(10), open_socket(live.address, target, _upgrade(origin)) as socket:
        response = socket.response
        assert response.status in {101, 403}, response
    return response


async def _called(live: LiveServer, method: str, origin: str | None, headers: Headers | None = None) -> Answer:
    sent = [*(headers or []), *([("Origin", origin)] if origin is not None else [])]
    async with deadline(10):
        answer = await exchange(live.address, method, "/api/v1/projects", headers=[("X-Forwarded-Host", "x"), *sent])
        assert "Origin" in (answer.header("Vary") or "")
    return answer


@pytest.mark.parametrize("target", _SOCKETS)
async def test_welcome_origins_may_upgrade(target: str, standing: LiveServer) -> None:
    answers = [await _upgraded(standing, target, origin) for origin in _WELCOME]
    assert [answer.status for answer in answers] == [101] * len(_WELCOME)


@pytest.mark.parametrize("target", [*_SOCKETS, "/api/v1/ws", "/nowhere"])
async def test_foreign_origins_are_refused_before_the_upgrade(target: str, standing: LiveServer) -> None:
    for origin in _FOREIGN:
        answer = await _upgraded(standing, target, origin)
        assert (answer.status, answer.header("Content-Type")) == (403, "application/problem+json")


async def test_welcome_origin_is_echoed_and_a_foreign_one_gets_no_cors_header(standing: LiveServer) -> None:
    for origin in ("http://localhost:3000", "https://[::1]:8443"):
        assert (await _called(standing, "GET", origin)).header("Access-Control-Allow-Origin") == origin
    for stranger in (*_FOREIGN, None):
        answer = await _called(standing, "GET", stranger)
        assert [name for name, _ in answer.headers if name.lower().startswith("access-control")] == []


async def test_errors_carry_cors_headers_too(standing: LiveServer) -> None:
    answer = await _called(standing, "PUT", "http://localhost:3000")
    assert answer.status == 405
    assert answer.header("Access-Control-Allow-Origin") == "http://localhost:3000"


async def test_preflight_of_a_welcome_origin_is_204_with_what_was_asked(standing: LiveServer) -> None:
    asked = [("Access-Control-Request-Method", "PATCH"), ("Access-Control-Request-Headers", "content-type,x-a")]
    answer = await _called(standing, "OPTIONS", "http://localhost:3000", asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.header("Access-Control-Allow-Origin") == "http://localhost:3000"
    assert answer.header("Access-Control-Allow-Methods") == "GET,HEAD,PUT,POST,DELETE,PATCH"
    assert answer.header("Access-Control-Allow-Headers") == "content-type,x-a"
    assert answer.header("Content-Type") is None


async def test_preflight_of_a_foreign_origin_is_403_without_cors_headers(standing: LiveServer) -> None:
    answer = await _called(standing, "OPTIONS", "https://foreign.example", [("Access-Control-Request-Method", "GET")])
    assert (answer.status, answer.header("Content-Type")) == (403, "application/problem+json")
    assert [name for name, _ in answer.headers if name.lower().startswith("access-control")] == []


async def test_allowed_origins_are_welcome_whatever_their_case_and_slash() -> None:
    async with live_server(allowed_origins=" https://Foreign.example/ , https://b.example:8443") as live:
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
    async with live_server(allowed_origins="*") as live:
        for origin in _FOREIGN:
            assert (await _upgraded(live, "/api/v1/ws/dashboard", origin)).status == 101
            assert (await _called(live, "GET", origin)).header("Access-Control-Allow-Origin") == origin
