"""Requests read from the bytes of a connection, in pieces of any size."""

from __future__ import annotations

from typing import Literal

import pytest

from server.protocol.http.head import RequestHead
from server.protocol.http.refusal import RequestRefused
from server.protocol.http.requests import END, RequestParser

_POST = b"POST /a%2Fb?c=d HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
_CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
_Read = tuple[str, bytes]


def _read(data: bytes, size: int | None = None) -> list[_Read]:
    """Return target and body of each complete request in `data`, which comes in pieces of `size` bytes."""
    parser, read = RequestParser(), []
    head, body = None, b""
    for place in range(0, len(data), size or len(data)):
        parser.receive(data[place : place + (size or len(data))])
        event: RequestHead | bytes | Literal[END] | None  # type: ignore[valid-type]  # an enum's member
        while (event := parser.next()) is not None:
            if isinstance(event, RequestHead):
                head, body = event, b""
            elif isinstance(event, bytes):
                body += event
            else:
                assert head is not None
                read.append((f"{head.method} {head.path.decode()}", body))
    return read


def _refusal(data: bytes, size: int | None = None) -> RequestRefused:
    with pytest.raises(RequestRefused) as refused:
        _read(data, size)
    return refused.value


@pytest.mark.parametrize("size", [None, 1, 2, 7, 64])
@pytest.mark.parametrize(
    ("data", "read"),
    [
        (_POST, [("POST /a%2Fb", b"hello")]),
        (b"\r\n\r\n" + _POST * 2, [("POST /a%2Fb", b"hello")] * 2),
        (_CHUNKED + b"0\r\n\r\n", [("POST /", b"")]),
        (_CHUNKED + b'00A\r\n0123456789\r\n1;a="b"\r\nx\r\n000\r\n\r\n', [("POST /", b"0123456789x")]),
        (_CHUNKED + b"3\r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n" + _POST, [("POST /", b"abc"), ("POST /a%2Fb", b"hello")]),
        (b"GET / HTTP/1.0\r\n\r\n", [("GET /", b"")]),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", [("OPTIONS *", b"")]),
        (b"GET http://other:80/a HTTP/1.1\r\nHost: x\r\n\r\n", [("GET /a", b"")]),
        (b"GET HTTP://other?q HTTP/1.1\r\nHost: x\r\n\r\n", [("GET /", b"")]),
    ],
)
def test_requests_are_the_same_in_pieces_of_any_size(data: bytes, read: list[_Read], size: int | None) -> None:
    assert _read(data, size) == read


@pytest.mark.parametrize("size", [None, 1, 13])
@pytest.mark.parametrize(
    ("tail", "status"),
    [
        (b"x\r\n", 400),
        (b"-1\r\nx\r\n", 400),
        (b"+1\r\nx\r\n", 400),
        (b"0x1\r\nx\r\n", 400),
        (b" 1\r\nx\r\n", 400),
        (b"1 \r\nx\r\n", 400),
        (b"\r\n", 400),
        (b"1\nx\n", 400),
        (b"1\r\nxy\r\n", 400),
        (b"1\r\nx\n", 400),
        (b"1" * 17 + b"\r\n", 400),
        (b"1;" + b"e" * 300 + b"\r\nx\r\n", 400),
        (b"1;a\x00b\r\nx\r\n", 400),
        ((b"1;" + b"e" * 200 + b"\r\nx\r\n") * 200, 400),
        (b"0\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"0\r\na: " + b"b" * 70_000 + b"\r\n\r\n", 431),
        (b"0\r\na\r\n\r\n", 400),
        (b"0\r\n a: b\r\n\r\n", 400),
    ],
)
def test_chunks_that_are_none_are_refused(tail: bytes, status: int, size: int | None) -> None:
    assert _refusal(_CHUNKED + tail, size).status == status


def test_chunks_of_one_byte_are_taken() -> None:
    assert _read(_CHUNKED + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n", 4096) == [("POST /", b"x" * 50_000)]


@pytest.mark.parametrize("size", [None, 1000])
@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + b"x" * 70_000, 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 70_000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 128, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 1_000_000, 431),
    ],
    ids=["target", "value", "lines", "more-lines"],
)
def test_head_that_is_too_large_is_refused_before_its_end(head: bytes, status: int, size: int | None) -> None:
    assert _refusal(head, size).status == status
    assert _refusal(head + b"\r\n\r\n", size).status == status


def test_head_of_most_lines_is_taken() -> None:
    lines = b"".join(b"a%d: b\r\n" % number for number in range(127))
    assert _read(b"GET / HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n") == [("GET /", b"")]


@pytest.mark.parametrize(
    "part",
    [b"GET / HTTP/1.1\nHost: x\n", b"\x16\x03\x01\x02", b"GET /\r\n", b"GET / HTTP/1.1\r\nA: \x00", b"\r\n" * 5],
    ids=["bare-lf", "tls", "http-0.9", "nul", "empty-lines"],
)
@pytest.mark.parametrize("size", [None, 1])
def test_bytes_that_cannot_become_a_head_are_refused_at_once(part: bytes, size: int | None) -> None:
    assert _refusal(part, size).status == 400


def test_bytes_after_a_request_are_left_for_another_protocol() -> None:
    parser = RequestParser()
    parser.receive(_POST + b"\x81\x00")
    assert isinstance(parser.next(), RequestHead)
    assert parser.next() == b"hello"
    assert parser.next() is END
    assert parser.rest() == b"\x81\x00"
    assert not parser.has_more
