"""The rows of HTTP, except the operations of GraphQL. Ids of the board have the word `alpha` in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.doors.rows import CONTENT, KNOWN, OPEN, UNIDENTIFIED, Needs, Row, needs, needs_everywhere
from tests.kit.access_tokens import ADMIN

__all__ = ["PREFIXES", "HttpRow", "http_rows"]

PREFIXES = ("/api/v1", "/api")
_READ, _WRITE, _ADMIN, _PUBLISH = needs("read"), needs("write"), needs("admin"), needs("publish")
_NO_BOARD, _NO_PROJECT, _NO_ATTEMPT = "404 Board not found", "404 Project not found", "404 Attempt not found"
_NO_EVENTS = "422 The events do not fit; nothing was stored"
_READ_ONLY = "404 This server only answers what the web client reads here; it changes nothing of it"
_JSON = "application/json"
_STREAM = "text/event-stream"
_HTML = "text/html"
_FULL = f"200{CONTENT}"


@dataclass(frozen=True, kw_only=True)
class HttpRow(Row):
    """A method of an address; `name` is that of `address_names` in the application."""

    target: str
    forbidden: str = "403"
    body: Any = None
    headers: tuple[tuple[str, str], ...] = field(default=(("Accept", _JSON),))
    #: Whether it ends the session of which the request has a cookie.
    ends_session: bool = False

    #: The method that is asked, where the name has `*`.
    any_method: str = "GET"

    @property
    def method(self) -> str:
        """The method; `*` in the name stands for every method, of which one is asked."""
        method = self.name.partition(" ")[0]
        return self.any_method if method == "*" else method


def _row(name: str, target: str, needed: Needs, granted: str, hidden: str = "", **more: Any) -> HttpRow:
    return HttpRow(name=name, target=target, needs=needed, granted=granted, hidden=hidden, **more)


def _projects() -> Iterator[HttpRow]:
    project = "/projects/board-alpha"
    new = {"name": "Made", "repositoryPath": "/made"}
    key = (("Accept", _JSON), ("Idempotency-Key", "once"))
    yield _row("GET /projects", "/projects", _READ, _FULL, "200")
    yield _row("POST /projects", "/projects", needs_everywhere("admin"), "201", body=new, headers=key, changes=True)
    yield _row("GET /projects/{id}", project, _READ, _FULL, _NO_PROJECT)
    yield _row("PATCH /projects/{id}", project, _ADMIN, _FULL, _NO_PROJECT, body={"name": "Quartz"}, changes=True)
    yield _row("DELETE /projects/{id}", project, _ADMIN, "204", _NO_PROJECT, changes=True)
    for name in ("settings", "enhancements", "tickets/next-key", "github/origin", "git/branches", "terminals/eligible"):
        yield _row(f"GET /projects/{{id}}/{name}", f"{project}/{name}", _READ, "200", _NO_PROJECT)


def _boards() -> Iterator[HttpRow]:
    for form in ("/boards/{id}", "/projects/{id}/board"):
        board = form.format(id="board-alpha")
        card = {"columnId": "column-alpha", "title": "Made"}
        yield _row(f"GET {form}", board, _READ, _FULL, _NO_BOARD)
        yield _row(f"GET {form}/past", f"{board}/past", _READ, _FULL, _NO_BOARD)
        yield _row(f"POST {form}/cards", f"{board}/cards", _WRITE, f"201{CONTENT}", _NO_BOARD, body=card, changes=True)
        one, target = f"{form}/cards/{{card}}", f"{board}/cards/free-alpha"
        yield _row(f"PATCH {one}", target, _WRITE, _FULL, _NO_BOARD, body={"title": "Changed"}, changes=True)
        yield _row(f"DELETE {one}", target, _WRITE, "204", _NO_BOARD, changes=True)
    images = "/boards/board-alpha/cards/free-alpha/images"
    yield _row("GET /boards/{id}/cards/{card}/images", images, _READ, "200", _NO_BOARD)


def _attempts() -> Iterator[HttpRow]:
    attempt = "/attempts/attempt-alpha"
    for query in ("", "?boardId=board-alpha"):
        stop = {"status": "stopped"}
        yield _row("GET /attempts/{attempt}", attempt + query, _READ, _FULL, _NO_ATTEMPT)
        yield _row("PATCH /attempts/{attempt}", attempt + query, _WRITE, _FULL, _NO_ATTEMPT, body=stop, changes=True)
        yield _row("GET /attempts/{attempt}/logs", f"{attempt}/logs{query}", _READ, _FULL, "200")
    for form in ("/boards/{id}", "/projects/{id}", "/projects/{id}/board"):
        cards, agent = form.format(id="board-alpha") + "/cards", {"agent": "CODEX"}
        target = f"{cards}/card-alpha/attempt"
        yield _row(f"GET {form}/cards/{{card}}/attempt", target, _READ, _FULL, _NO_ATTEMPT)
        name, target = f"POST {form}/cards/{{card}}/attempts", f"{cards}/free-alpha/attempts"
        yield _row(name, target, _WRITE, "201", _NO_PROJECT, body=agent, changes=True)


def _everywhere() -> Iterator[HttpRow]:
    dashboard, admin = needs_everywhere("dashboard"), needs_everywhere("admin")
    new = {"name": "made", "boards": ["board-alpha"], "can": ["read"]}
    yield _row("GET /dashboard", "/dashboard", dashboard, _FULL)
    yield _row(
        "GET /agents", "/agents", dashboard, _FULL, forbidden="200", reason="the list is empty without the grant"
    )
    yield _row("GET /agents/profiles", "/agents/profiles", dashboard, _FULL, forbidden="200", reason="as /agents")
    yield _row("GET /tokens", "/tokens", admin, _FULL)
    yield _row("GET /nodes", "/nodes", admin, "200")
    yield _row("GET /streams", "/streams", admin, "200")
    yield _row("POST /tokens", "/tokens", admin, "201", body=new)
    session: Any = {"needed": UNIDENTIFIED, "ends_session": True, "reason": "signs in or out"}
    yield _row("GET /session", "/session", KNOWN, "200", reason="the same for every caller, about itself")
    yield _row("POST /session", "/session", granted="201", body={"token": ADMIN}, **session)
    wrong = '401 Bearer error="invalid_token"'
    yield _row("POST /session", "/session", granted=wrong, body={"token": "wrong"}, **session)
    yield _row("DELETE /session", "/session", granted="204", **session)
    yield _row("DELETE /tokens/{token}", "/tokens/SPARE", admin, "204", changes=True)


def _streams() -> Iterator[HttpRow]:
    """Yield the raw streams, and requests without an upgrade at the addresses of sockets."""
    dashboard = needs_everywhere("dashboard")
    accept: Any = {"headers": (("Accept", _STREAM),)}
    for query in ("boardId=board-alpha", "projectId=board-alpha", "boardId=board-alpha&delivery=patch"):
        yield _row("GET /sse", f"/sse?{query}", _READ, _FULL, _NO_BOARD, **accept)
    yield _row("HEAD /sse", "/sse?boardId=board-alpha", _READ, "200", "404", **accept)
    yield _row("GET /sse", "/sse", dashboard, _FULL, **accept)
    yield _row("HEAD /sse", "/sse", dashboard, "200", **accept)
    yield _row("GET /ws", "/ws?boardId=board-alpha", KNOWN, "404 Not Found", reason="no upgrade")
    for name, method in (("GET", "GET"), ("*", "POST")):
        address, unknown = "/ws/dashboard", "404 Not Found"
        yield _row(f"{name} {address}", address, KNOWN, unknown, any_method=method, reason="no upgrade")


def _status() -> Iterator[HttpRow]:
    for name in ("healthz", "readyz", "version", "openapi.json", "asyncapi.json"):
        yield _row(f"GET /{name}", f"/{name}", OPEN, "200", reason="reveals nothing about the boards")
    for name in ("onboarding/status", "settings", "auth/github/check", "auth/github/app"):
        yield _row(f"GET /{name}", f"/{name}", KNOWN, "200", reason="the same for every caller")


def _read_only(rows: list[HttpRow]) -> Iterator[HttpRow]:
    """Yield the other methods of the addresses that only the web client reads."""
    words = ("settings", "status", "/check", "/app", "/profiles", "enhancements", "next-key", "origin", "branches")
    for row in rows:
        if row.name.startswith("GET") and row.name.endswith((*words, "eligible", "images")):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                name = row.name.replace("GET", method)
                yield _row(name, row.target, KNOWN, _READ_ONLY, reason="nothing is looked up")


def _ingest() -> Iterator[HttpRow]:
    board = {"name": "git.status.changed", "payload": {"projectId": "board-alpha"}}
    agent = {"name": "agent.registered", "payload": {"agent": "CODEX", "label": "Quartz"}}
    everywhere = needs_everywhere("publish")
    yield _row("POST /events", "/events", _PUBLISH, "202", _NO_EVENTS, body=board, changes=True)
    yield _row("POST /events", "/events", _PUBLISH, "202", _NO_EVENTS, body=[board, board], changes=True)
    yield _row("POST /events", "/events", everywhere, "202", body=agent, changes=True)


def _api() -> list[HttpRow]:
    rows = [*_projects(), *_boards(), *_attempts(), *_everywhere(), *_streams(), *_status(), *_ingest()]
    return [*rows, *_read_only(rows)]


def _heads(rows: list[HttpRow]) -> Iterator[HttpRow]:
    """Yield a row for HEAD where there is one for GET: it is answered as GET, without the body."""
    for row in rows:
        if row.name.startswith("GET") and "/sse" not in row.name:
            bare = {name: getattr(row, name).split(" ")[0] for name in ("granted", "hidden", "forbidden")}
            yield replace(row, name=row.name.replace("GET", "HEAD"), **bare)


def _outside() -> Iterator[HttpRow]:
    """Yield the addresses without a prefix."""
    unknown, stream = "404 Stream not found: reserve one by PUT and send its token", "/graphql/stream"
    yield _row("* *", "*", OPEN, "204", any_method="OPTIONS", reason="asks about no address")
    yield _row("GET /metrics", "/metrics", needs_everywhere("admin"), "200")
    for path in ("/", "/dashboard", "/docs", "/inspector"):
        yield _row(f"GET {path}", path, OPEN, "200", reason="a page")
    yield _row("GET /static/operations.json", "/static/operations.json", OPEN, "200", reason="an asset of a page")
    yield _row("* /static", "/static/index.js", OPEN, "200", reason="an asset of a page")
    yield _row("* /graphql", "/graphql", OPEN, "200", headers=(("Accept", _HTML),), reason="the page of GraphiQL")
    yield _row("* /graphql", "/graphql", KNOWN, "400 query: expected a string, got none", reason="asks for nothing")
    yield _row("* /graphql/stream", stream, KNOWN, unknown, reason="asks for nothing")
    yield _row("* *", "/nowhere", KNOWN, "404 Not Found", reason="an unknown address")


def http_rows() -> list[HttpRow]:
    """Return all rows. A name with the method `*` stands for an address without methods of its own."""
    api, outside = _api(), list(_outside())
    both = [*api, *_heads(api)]
    prefixed = [
        replace(row, name=row.name.replace(" ", f" {prefix}", 1), target=prefix + row.target)
        for prefix in PREFIXES
        for row in both
    ]
    return [*prefixed, *outside, *_heads(outside)]
