"""Answers and files with gzip, for clients that accept it: the same content, with headers that caches can trust."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.protocol import deflate
from server.transports.files import packed_files
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.raw_http import Answer, exchange
from tests.live.boards import BOARD, make_boards

_WAIT_UNITS = 20
_LONG = "a longer text, which is worth it; " * 60
_STATE = f"/api/v1/boards/{BOARD}"
_QUERY = f'/graphql?query={{board(boardId:"{BOARD}"){{cards{{id,description}}}}}}'
_GZIP = [("Accept-Encoding", "gzip, deflate, br, zstd")]
#: Headers that differ between two answers anyway.
_OWN = {"date", "x-request-id", "content-length", "content-encoding", "etag", "accept-ranges"}


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[LiveServer]:
    async with live_server() as live:
        await make_boards(live.address)
        body = orjson.dumps({"description": _LONG})
        assert (await exchange(live.address, "PATCH", f"{_STATE}/cards/free", body)).status == 200
        yield live


async def _get(server: LiveServer, target: str, *headers: tuple[str, str], method: str = "GET") -> Answer:
    async with deadline(_WAIT_UNITS):
        return await exchange(server.address, method, target, headers=list(headers))


def _vary(answer: Answer) -> set[str]:
    return set((answer.header("Vary") or "").lower().replace(" ", "").split(",")) - {"", "origin"}


def _others(answer: Answer) -> list[tuple[str, str]]:
    return sorted(pair for pair in answer.headers if pair[0].lower() not in _OWN)


@pytest.mark.parametrize(
    "target",
    [_STATE, _QUERY, "/static/index.css", "/static/graphiql/vendor/graphiql.min.js", "/static/operations.json"],
)
async def test_answer_is_the_same_when_it_is_compressed(target: str, server: LiveServer) -> None:
    plain = await _get(server, target)
    packed = await _get(server, target, *_GZIP)
    assert plain.header("Content-Encoding") is None
    assert packed.header("Content-Encoding") == "gzip"
    assert int(packed.header("Content-Length") or 0) == len(packed.body) < len(plain.body) / 2
    assert gzip.decompress(packed.body) == plain.body
    assert _others(plain) == _others(packed)
    assert "accept-encoding" in _vary(plain)
    assert target != _QUERY or "accept" in _vary(packed)


@pytest.mark.parametrize("target", [_STATE, "/static/index.css"])
async def test_head_has_the_headers_of_get(target: str, server: LiveServer) -> None:
    get, head = [await _get(server, target, *_GZIP, method=method) for method in ("GET", "HEAD")]
    assert head.body == b""
    own = {"date", "x-request-id"}
    assert [one for one in head.headers if one[0] not in own] == [one for one in get.headers if one[0] not in own]


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "gzip;q=0.1, identity", "br", "gzip;q=2", "*;q=0"])
@pytest.mark.parametrize("target", [_STATE, "/static/index.css"])
async def test_client_that_does_not_want_gzip_gets_plain_bytes(accepted: str, target: str, server: LiveServer) -> None:
    answer = await _get(server, target, ("Accept-Encoding", accepted))
    assert (answer.status, answer.header("Content-Encoding")) == (200, None)
    assert answer.body == (await _get(server, target)).body


async def test_short_answer_is_plain_unless_the_client_refuses_that(server: LiveServer) -> None:
    plain = await _get(server, "/api/v1/healthz", *_GZIP)
    assert (plain.body, plain.header("Content-Encoding"), _vary(plain)) == (b'{"ok":true}', None, set())
    packed = await _get(server, "/api/v1/healthz", ("Accept-Encoding", "gzip, identity;q=0"))
    assert (gzip.decompress(packed.body), packed.header("Content-Encoding")) == (plain.body, "gzip")
    assert _vary(packed) == {"accept-encoding"}


async def test_large_answer_is_compressed_by_the_thread(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = await _get(server, _STATE)
    monkeypatch.setattr("server.middleware.compression.QUICK_BYTES", 0)
    assert gzip.decompress((await _get(server, _STATE, *_GZIP)).body) == plain.body


@pytest.mark.parametrize("target", ["/static/index.css", "/static/boardcast.js"])
async def test_each_form_of_a_file_has_its_own_etag(target: str, server: LiveServer) -> None:
    plain, packed = await _get(server, target), await _get(server, target, *_GZIP)
    tags = [answer.header("ETag") or "" for answer in (plain, packed)]
    assert len(set(tags)) == 2
    for tag, headers in zip(tags, ([], _GZIP), strict=True):
        known = await _get(server, target, ("If-None-Match", tag), *headers)
        assert (known.status, known.body, known.header("ETag"), _vary(known)) == (304, b"", tag, {"accept-encoding"})
        other = await _get(server, target, ("If-None-Match", next(one for one in tags if one != tag)), *headers)
        assert other.status == 200


@pytest.mark.parametrize("target", ["/docs", "/dashboard"])
async def test_page_that_the_client_has_is_not_sent_again(target: str, server: LiveServer) -> None:
    first = await _get(server, target, *_GZIP)
    again = await _get(server, target, ("If-None-Match", first.header("ETag") or ""), *_GZIP)
    assert (again.status, again.body, again.header("ETag")) == (304, b"", first.header("ETag"))
    assert (await _get(server, target, ("If-None-Match", '"other"'), *_GZIP)).status == 200


async def test_range_of_a_file_is_one_of_its_plain_bytes(server: LiveServer) -> None:
    whole = await _get(server, "/static/index.css")
    part = await _get(server, "/static/index.css", ("Range", "bytes=10-19"), *_GZIP)
    assert (part.status, part.body, part.header("Content-Encoding")) == (206, whole.body[10:20], None)
    assert "accept-encoding" in _vary(part)


async def test_file_that_changes_is_compressed_again(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>first</p>" + _LONG)
    async with live_server(web_client=tmp_path) as live:
        first = await _get(live, "/index.html", *_GZIP)
        (tmp_path / "index.html").write_text("<p>second</p>" + _LONG)
        second = await _get(live, "/index.html", *_GZIP)
        assert (await _get(live, "/index.html", *_GZIP)).body == second.body
    assert gzip.decompress(first.body).startswith(b"<p>first</p>")
    assert gzip.decompress(second.body).startswith(b"<p>second</p>")
    assert first.header("ETag") != second.header("ETag")


async def test_compressed_files_have_a_bound_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = packed_files._Kept()  # noqa: SLF001 - the server's own has files of other tests
    monkeypatch.setattr(packed_files, "_kept", kept)
    monkeypatch.setattr(packed_files, "MAX_KEPT_BYTES", 1000)
    monkeypatch.setattr(packed_files, "MAX_FILE_BYTES", 20_000)
    names = [f"{number}.js" for number in range(20)]
    for name in ("index.html", *names):
        (tmp_path / name).write_text(name + _LONG)
    (tmp_path / "large.js").write_text("x" * 20_001)
    async with live_server(web_client=tmp_path) as live:
        for name in names * 2:
            assert gzip.decompress((await _get(live, f"/{name}", *_GZIP)).body) == (name + _LONG).encode()
        large = await _get(live, "/large.js", *_GZIP)
    assert (large.status, large.header("Content-Encoding")) == (200, None)
    assert 0 < sum(map(len, kept._files.values())) <= 1000  # noqa: SLF001


async def test_answers_with_secrets_are_not_compressed() -> None:
    made: dict[str, Any] = {"name": "n" * 200, "boards": [f"{number}" * 100 for number in range(10)], "can": ["read"]}
    fields = "{ ... on CreateAccessTokenPayload { secret accessToken { name boards } } }"
    query = f"mutation ($i: CreateAccessTokenInput!) {{ createAccessToken(input: $i) {fields} }}"
    asked = {"query": query, "variables": {"i": {**made, "can": ["READ"]}}}
    bodies = {"/api/v1/tokens": made, "/graphql": asked}
    async with deadline(_WAIT_UNITS), live_server() as live:
        for target, body in bodies.items():
            headers = [("Content-Type", "application/json"), ("Accept", "application/json"), *_GZIP]
            answer = await exchange(live.address, "POST", target, orjson.dumps(body), headers)
            assert answer.status in (200, 201), answer
            assert len(answer.body) > deflate.MIN_BYTES
            assert answer.header("Content-Encoding") is None
            assert answer.header("Cache-Control") == "no-store"


async def test_setting_leaves_all_answers_plain() -> None:
    async with live_server(compression=False) as live:
        for target in ("/static/index.css", "/static/operations.json"):
            answer = await _get(live, target, *_GZIP)
            assert (answer.status, answer.header("Content-Encoding"), _vary(answer)) == (200, None, set())


async def test_fonts_are_named_by_their_hash_and_kept_for_ever(server: LiveServer) -> None:
    font = next((Path(packed_files.__file__).parents[2] / "static" / "graphiql" / "unpacked").glob("*.woff2"))
    answer = await _get(server, f"/static/graphiql/unpacked/{font.name}", *_GZIP)
    assert (answer.status, answer.header("Content-Encoding")) == (200, None)
    assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
    assert answer.body == font.read_bytes()
