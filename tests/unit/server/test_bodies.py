"""JSON bodies and their largest size."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from starlette.types import Message, Receive, Scope, Send

from server.middleware.limits import BodyLimit
from server.problem import Problem
from server.transports.bodies import answer, json_body, json_object
from tests.unit.server.requests import request_with, scope_with


async def test_body_in_pieces_is_read_whole() -> None:
    assert await json_body(request_with([b'{"a"', b":", b"[1]}"])) == {"a": [1]}


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"]
)
async def test_json_media_types_are_read(content_type: str) -> None:
    assert await json_body(request_with([b"[1]"], content_type)) == [1]


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "json"])
async def test_other_media_types_count_as_an_empty_object(content_type: str | None) -> None:
    assert await json_body(request_with([b"[1]"], content_type)) == {}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b"\xef\xbb\xbf{}"])
async def test_broken_json_is_a_400(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        await json_body(request_with([body]))
    assert (refused.value.status_code, refused.value.detail) == (400, "Malformed JSON in request body")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1"])
async def test_object_is_demanded_where_it_is_needed(body: bytes) -> None:
    with pytest.raises(Problem, match="expected a JSON object"):
        await json_object(request_with([body]))


def test_answer_takes_values_and_ready_bytes() -> None:
    assert answer({"ü": 1}).body == '{"ü":1}'.encode()
    assert answer(b"[]", 201).status_code == 201
    assert answer(b"[]").headers["content-type"] == "application/json"


async def _through(limit: int, chunks: list[bytes], *headers: tuple[str, str]) -> tuple[int, bytes]:
    """Send chunks through a limit; return the status and the bytes that the application has read."""
    parts, read, sent = list(chunks), bytearray(), list[Message]()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            read.extend(message["body"])
            more = message["more_body"]

    async def receive() -> Message:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await BodyLimit(application, limit)(scope_with(*headers), receive, send)
    except Problem as refused:
        return refused.status_code, bytes(read)
    return (sent[0]["status"] if sent else 200), bytes(read)


async def test_body_up_to_the_limit_goes_through() -> None:
    assert await _through(10, [b"12345", b"67890"]) == (200, b"1234567890")
    assert await _through(10, [b"1234567890"], ("Content-Length", "10")) == (200, b"1234567890")


async def test_announced_body_beyond_the_limit_is_not_even_read() -> None:
    assert await _through(10, [b"12345678901"], ("Content-Length", "11")) == (413, b"")


async def test_body_that_grows_beyond_the_limit_is_stopped_there() -> None:
    assert await _through(10, [b"12345", b"678901", b"never read"]) == (413, b"12345")
    assert await _through(10, [b"12345678901"], ("Content-Length", "1")) == (413, b"")


async def test_sockets_have_a_limit_of_their_own() -> None:
    seen: list[Any] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(receive)

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    await BodyLimit(application, 1)({"type": "websocket", "headers": []}, receive, send)
    assert seen == [receive]


def test_problem_has_the_keys_of_rfc_9457_in_order() -> None:
    response = Problem(404, "Board not found").response()
    assert response.headers["content-type"] == "application/problem+json"
    assert response.body == (b'{"status":404,"detail":"Board not found","type":"about:blank","title":"Not Found"}')
    assert orjson.loads(Problem(413).response().body)["title"]
