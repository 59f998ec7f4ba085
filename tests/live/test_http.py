"""General HTTP: problems everywhere, methods and `Allow`, headers, the older address, pages and files."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer
from tests.kit.raw_http import Answer, Headers, connect, exchange, request_bytes
from tests.live.boards import BOARD
from tests.live.leftovers import check_settled, holdings

_B, _P = f"/boards/{BOARD}", f"/projects/{BOARD}"
#: Address → its methods.
_METHODS = {
    "/healthz": "GET, HEAD",
    "/readyz": "GET, HEAD",
    "/version": "GET, HEAD",
    "/streams": "GET, HEAD",
    "/agents": "GET, HEAD",
    "/dashboard": "GET, HEAD",
    "/projects": "GET, HEAD, POST",
    _P: "DELETE, GET, HEAD, PATCH",
    _B: "GET, HEAD",
    f"{_P}/board": "GET, HEAD",
    f"{_B}/past": "GET, HEAD",
    f"{_B}/cards": "POST",
    f"{_P}/board/cards": "POST",
    f"{_B}/cards/free": "DELETE, PATCH",
    f"{_P}/cards/free/attempt": "GET, HEAD",
    f"{_P}/cards/free/attempts": "POST",
    "/attempts/a": "GET, HEAD, PATCH",
    "/attempts/a/logs": "GET, HEAD",
    "/events": "POST",
    "/sse": "GET, HEAD",
    "/ws": "GET, HEAD",
}
_ALL = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_UNKNOWN = (
    *("/nowhere", "/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/projects", "/api/v1/nowhere", "/api/v1/projects/"),
    *(f"/api/v1{_P}/nowhere", f"/api/v1{_P}/attempts", f"/api/v1{_B}/cards/free/nowhere", "/api/v1/sse/dashboard"),
    *("/api/v1//projects", "/API/v1/projects", "/api/v1/attempts/", "/graphql/", "/graphql/nowhere"),
    *("/api/v1/enhancements", "/api/v1/filesystem", "/api/v1/ws/dashboard", f"/api/v1/ws?boardId={BOARD}"),
)


async def _call(live: LiveServer, method: str, target: str, headers: Headers | None = None) -> Answer:
    async with deadline(10):
        answer = await exchange(live.address, method, target, headers=headers or [])
        assert answer.header("X-Request-Id"), answer
    return answer


def _check_problem(answer: Answer, status: int) -> None:
    assert answer.status == status, answer
    assert answer.header("Content-Type") == "application/problem+json"
    problem: Any = answer.json()
    assert list(problem) == ["status", "detail", "type", "title"]
    assert problem["status"] == status
    assert problem["type"] == "about:blank"


@pytest.mark.parametrize("target", _UNKNOWN)
async def test_unknown_address_is_404_problem_for_every_method(target: str, unchanged: LiveServer) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = await _call(unchanged, method, target)
        if method != "GET" and "/ws?" in target:
            assert answer.status == 405
        else:
            _check_problem(answer, 404)


@pytest.mark.parametrize("prefix", ["/api/v1", "/api"])
@pytest.mark.parametrize("path", _METHODS)
async def test_wrong_method_is_405_with_every_allowed_one(path: str, prefix: str, unchanged: LiveServer) -> None:
    allowed = _METHODS[path].split(", ")
    for method in _ALL:
        if method not in allowed:
            answer = await _call(unchanged, method, prefix + path)
            assert answer.status == 405
            if method != "HEAD":
                _check_problem(answer, 405)
            assert ", ".join(sorted((answer.header("Allow") or "").split(", "))) == _METHODS[path]


async def test_wrong_method_at_pages_is_405_problem(unchanged: LiveServer) -> None:
    for target in ("/", "/static/index.css", "/static/operations.json", "/graphql"):
        answer = await _call(unchanged, "DELETE", target)
        _check_problem(answer, 405)
        assert "GET" in (answer.header("Allow") or "")


@pytest.mark.parametrize(
    "target", [f"/api/v1{path}" for path, methods in _METHODS.items() if "HEAD" in methods and path != "/ws"] + ["/"]
)
async def test_head_has_the_headers_of_get_and_no_body(target: str, unchanged: LiveServer) -> None:
    head = await _call(unchanged, "HEAD", target)
    if target.endswith("/sse"):
        assert (head.status, head.header("Content-Type")) == (200, "text/event-stream")
        return
    get = await _call(unchanged, "GET", target)
    assert (head.status, head.body) == (get.status, b"")
    varying = {"date", "x-request-id"}
    assert [one for one in head.headers if one[0] not in varying] == [
        one for one in get.headers if one[0] not in varying
    ]


@pytest.mark.parametrize(
    "target", ["/", "/api/v1/projects", "/api/v1/nowhere", "/static/index.css", "/graphql?query={__typename}"]
)
async def test_every_answer_has_the_security_headers_once(target: str, unchanged: LiveServer) -> None:
    answer = await _call(unchanged, "GET", target)
    names = [name.lower() for name, _ in answer.headers]
    assert len(names) == len(set(names)), answer.headers
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("X-Frame-Options") == "SAMEORIGIN"
    assert answer.header("Cross-Origin-Resource-Policy") == "same-origin"
    assert answer.header("Server") is None
    assert answer.header("Strict-Transport-Security") is None, "RFC 6797 §7.2: not over a transport without TLS"


@pytest.mark.parametrize("board", ["", f"?boardId={BOARD}"])
async def test_stream_has_the_headers_of_the_contract(board: str, unchanged: LiveServer) -> None:
    before = holdings(unchanged.node)
    answer = await _call(unchanged, "HEAD", f"/api/v1/sse{board}")
    assert answer.header("Content-Type") == "text/event-stream"
    assert answer.header("Cache-Control") == "no-cache"
    assert answer.header("X-Accel-Buffering") == "no"
    await check_settled(unchanged.node, before)


@pytest.mark.parametrize("path", [path for path, methods in _METHODS.items() if "GET" in methods and path != "/sse"])
async def test_older_address_answers_the_same(path: str, unchanged: LiveServer) -> None:
    new, old = [await _call(unchanged, "GET", prefix + path) for prefix in ("/api/v1", "/api")]
    assert new.status == old.status
    if path not in ("/dashboard", "/version"):  # these contain the time
        assert new.body == old.body


async def test_requests_on_one_connection_are_answered_in_order(unchanged: LiveServer) -> None:
    request = request_bytes("GET", "/api/v1/healthz", [("Host", "localhost")]) + request_bytes(
        "GET", "/no", [("Host", "localhost")]
    )
    async with deadline(10), connect(unchanged.address) as connection:
        await connection.send(request * 3)
        statuses = []
        for _ in range(6):
            head = await connection.read_head()
            await connection.read_body(head)
            statuses.append(head.status)
    assert statuses == [200, 404] * 3


@pytest.mark.parametrize(
    ("accept", "media_type", "begins"),
    [
        ("text/html,*/*;q=0.8", "text/html; charset=utf-8", b"<!doctype html>"),
        ("*/*", "text/plain; charset=utf-8", b"Boardcast is running"),
        ("", "text/plain; charset=utf-8", b"Boardcast is running"),
    ],
)
async def test_home_is_a_page_for_browsers(accept: str, media_type: str, begins: bytes, unchanged: LiveServer) -> None:
    answer = await _call(unchanged, "GET", "/", [("Accept", accept)])
    assert (answer.status, answer.header("Content-Type")) == (200, media_type)
    assert answer.body.lower().startswith(begins.lower())


async def test_graphql_in_a_browser_is_graphiql_without_foreign_assets(unchanged: LiveServer) -> None:
    answer = await _call(unchanged, "GET", "/graphql", [("Accept", "text/html")])
    assert (answer.status, answer.header("Content-Type")) == (200, "text/html; charset=utf-8")
    assert b"/static/" in answer.body
    assert b"://" not in answer.body.replace(b"http://www.w3.org", b"")


@pytest.mark.parametrize(
    ("target", "policy"),
    [
        ("/", "style-src 'self'; img-src 'self'; form-action 'self'"),
        ("/dashboard", "style-src 'self'; img-src 'self'; form-action 'self'"),
        ("/static/index.html", "style-src 'self'; img-src 'self'; form-action 'self'"),
        ("/graphql", "style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; form-action 'none'"),
        ("/static/graphiql/index.html", "style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:"),
        ("/static/icon.svg", "default-src 'self'; frame-ancestors 'none'"),
    ],
)
async def test_pages_may_not_be_framed_and_load_from_here_only(target: str, policy: str, unchanged: LiveServer) -> None:
    answer = await _call(unchanged, "GET", target, [("Accept", "text/html")])
    held_to = answer.header("Content-Security-Policy") or ""
    assert answer.status == 200
    assert policy in held_to
    assert "frame-ancestors 'none'" in held_to.split("; ")


_MANY = "&".join(f"a{n}=" for n in range(16_000))
_HUNDRED = "&".join(["a"] * 99)


@pytest.mark.parametrize("target", ["/api/v1/sse", "/api/v1/projects", "/graphql", "/graphql/stream", "/nowhere", "/"])
async def test_query_of_many_names_is_400(target: str, unchanged: LiveServer) -> None:
    """16,000 of them are 96 KB: less where a head may be no longer."""
    for query in (_MANY[:50_000], "&".join(["a"] * 101)):
        answer = await _call(unchanged, "GET", f"{target}?{query}")
        _check_problem(answer, 400)
        assert b"expected at most 100 names in the query" in answer.body


async def test_query_of_a_hundred_names_is_read(unchanged: LiveServer) -> None:
    answer = await _call(unchanged, "GET", f"/api/v1/dashboard?{_HUNDRED}&range=90d")
    assert answer.status == 200
    assert b"last_90d" in answer.body


async def test_operations_are_listed_for_the_tabs(unchanged: LiveServer) -> None:
    answer = await _call(unchanged, "GET", "/static/operations.json")
    operations: Any = answer.json()
    assert answer.header("Content-Type") == "application/json"
    assert operations
    for operation in operations:
        assert set(operation) == {"name", "query"}
        assert operation["query"].strip()


@pytest.mark.parametrize(
    "path",
    [
        "../settings.py",
        "%2e%2e/settings.py",
        "..%2fsettings.py",
        "%2e%2e%2f%2e%2e%2fpyproject.toml",
        "page/../../settings.py",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        "..\\settings.py",
        "index.css%00.html",
        "page",
        "",
        "graphiql/",
        "nowhere.js",
        "%ff",
        "x" * 300,
        "a/" * 2000,
    ],
)
async def test_path_out_of_the_static_folder_is_404(path: str, unchanged: LiveServer) -> None:
    _check_problem(await _call(unchanged, "GET", f"/static/{path}"), 404)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"[]", 400),
        ("application/json", b"{}", 400),
        ("application/json", b'{"query":1}', 400),
        ("text/plain", b'{"query":"{__typename}"}', 415),
        ("application/json", b'{"query":"{__typename}","variables":[]}', 400),
    ],
    ids=["half", "list", "no-query", "number", "media-type", "variables"],
)
async def test_graphql_call_that_cannot_be_read_is_a_problem(
    content_type: str, body: bytes, status: int, unchanged: LiveServer
) -> None:
    async with deadline(10):
        answer = await exchange(unchanged.address, "POST", "/graphql", body, [("Content-Type", content_type)])
    assert answer.status == status, answer
    assert answer.header("Content-Type") in {"application/problem+json", "application/json"}
    if answer.header("Content-Type") == "application/json":
        result: Any = answer.json()
        assert result["errors"]
