"""Addresses are matched on the undecoded path, segment by segment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from server.routing import SegmentMount, SegmentRoute, SegmentRouter, SegmentSocketRoute


async def _nothing(request: Request) -> Response:
    raise AssertionError("nobody calls it")


def _scope(raw: str, type: str = "http", method: str = "GET") -> dict[str, Any]:
    return {"type": type, "method": method, "path": "not looked at", "raw_path": raw.encode()}


_ROUTE = SegmentRoute("/boards/{id}/cards/{card}", _nothing, methods=["GET"])


@pytest.mark.parametrize(
    ("raw", "id", "card"),
    [
        ("/boards/a/cards/b", "a", "b"),
        ("/boards/a%2Fb/cards/%2f", "a/b", "/"),
        ("/boards/%00%0A/cards/%7F%0D", "\x00\n", "\x7f\r"),
        ("/boards/a%252Fb/cards/%25", "a%2Fb", "%"),
        ("/boards/%C3%BC/cards/%F0%9F%99%82", "ü", "🙂"),
        ("/boards/../cards/.", "..", "."),
        ("/boards/%2e%2e/cards/a%3Fb%23c", "..", "a?b#c"),
        ("/bo%61rds/a+b/cards/c%20d", "a+b", "c d"),
    ],
)
def test_ids_are_decoded_one_by_one(raw: str, id: str, card: str) -> None:
    match, child = _ROUTE.matches(_scope(raw))
    assert match is Match.FULL
    assert child["path_params"] == {"id": id, "card": card}


@pytest.mark.parametrize(
    "raw",
    [
        *("/boards/a/cards/", "/boards//cards/b", "/boards/a/cards/b/", "/boards/a/cards", "/boards/a/cards/b/c"),
        *("/boards/a/cards%2Fb", "/boards/%ff/cards/b", "/boards/a/cards%0A/b", "//boards/a/cards/b", "*"),
    ],
)
def test_other_paths_are_not_matched(raw: str) -> None:
    assert _ROUTE.matches(_scope(raw))[0] is Match.NONE


def test_other_method_is_matched_in_part() -> None:
    assert _ROUTE.matches(_scope("/boards/a/cards/b", method="PUT"))[0] is Match.PARTIAL
    assert _ROUTE.matches(_scope("/boards/a/cards/b", method="HEAD"))[0] is Match.FULL
    assert _ROUTE.matches(_scope("/boards/a/cards/b", type="websocket"))[0] is Match.NONE


def test_route_without_methods_answers_all() -> None:
    route = SegmentRoute("/boards", _nothing)
    assert [route.matches(_scope("/boards", method=method))[0] for method in ("GET", "BREW")] == [Match.FULL] * 2


def test_socket_has_routes_of_its_own() -> None:
    route = SegmentSocketRoute("/ws", _nothing)
    assert route.matches(_scope("/ws", "websocket"))[0] is Match.FULL
    assert route.matches(_scope("/ws"))[0] is Match.NONE
    assert route.matches(_scope("/ws%0A", "websocket"))[0] is Match.NONE


def test_mount_leaves_what_follows_to_its_routes() -> None:
    mount = SegmentMount("/api/v1", [_ROUTE])
    scope = _scope("/api/v1/boards/a%2Fb/cards/c")
    match, child = mount.matches(scope)
    assert (match, child["root_path"]) == (Match.FULL, "/api/v1")
    assert _ROUTE.matches({**scope, **child})[1]["path_params"] == {"id": "a/b", "card": "c"}
    for raw in ("/api/v1", "/api/v2/x", "/api%2Fv1/x", "/api", "/"):
        assert mount.matches(_scope(raw))[0] is Match.NONE


def _named(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        return Response(f"{name} {request.path_params}")

    return answered


@pytest.mark.parametrize(
    ("raw", "method", "status", "body"),
    [
        ("/a/x/1", "GET", 200, "literal {'id': '1'}"),
        ("/a/y/1", "GET", 200, "any {'any': 'a', 'word': 'y', 'id': '1'}"),
        ("/b/x/1", "GET", 200, "any {'any': 'b', 'word': 'x', 'id': '1'}"),
        ("/a/x", "GET", 200, "short {}"),
        ("/a/x", "POST", 405, "Method Not Allowed"),
        ("/a/x/1/2", "GET", 404, "Not Found"),
        ("/a", "GET", 404, "Not Found"),
        ("/%ff/x/1", "GET", 404, "Not Found"),
    ],
)
async def test_first_route_that_matches_answers(raw: str, method: str, status: int, body: str) -> None:
    router = SegmentRouter(
        [
            SegmentSocketRoute("/a/x/{id}", _nothing),
            SegmentRoute("/a/x/{id}", _named("literal"), methods=["GET"]),
            SegmentRoute("/{any}/{word}/{id}", _named("never"), methods=["PUT"]),
            SegmentRoute("/a/x", _named("short"), methods=["GET"]),
            SegmentRoute("/{any}/{word}/{id}", _named("any"), methods=["GET"]),
            SegmentRoute("/a/y/{id}", _named("late"), methods=["GET"]),
        ]
    )
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nobody reads the body")

    await router({**_scope(raw, method=method), "headers": []}, receive, send)
    assert (sent[0]["status"], sent[1]["body"].decode()) == (status, body)


def test_server_without_a_raw_path_is_served() -> None:
    scope = {"type": "http", "method": "GET", "path": "/boards/ü/cards/b"}
    assert _ROUTE.matches(scope)[1]["path_params"] == {"id": "ü", "card": "b"}
