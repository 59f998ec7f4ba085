"""The head of a request, strictly by RFC 9112."""

from __future__ import annotations

import pytest

from server.protocol.http.head import RequestHead, parse_head
from server.protocol.http.refusal import RequestRefused


def _head(*lines: str, request: str = "GET / HTTP/1.1", host: bool = True) -> RequestHead:
    fields = ["Host: x", *lines] if host else lines
    return parse_head("\r\n".join([request, *fields]).encode("latin-1"))


def _status(*lines: str, request: str = "GET / HTTP/1.1", host: bool = True) -> int:
    with pytest.raises(RequestRefused) as refused:
        _head(*lines, request=request, host=host)
    assert refused.value.sentence.startswith("expected ")
    return refused.value.status


def test_parts_of_a_head_are_returned() -> None:
    head = _head("Content-Length: 12", "X-A: \t b c \t", request="PATCH /a%2Fb?c=%20&d HTTP/1.1")
    assert (head.method, head.path, head.query, head.version) == ("PATCH", b"/a%2Fb", b"c=%20&d", "1.1")
    assert head.headers == [(b"host", b"x"), (b"content-length", b"12"), (b"x-a", b"b c")]
    assert (head.length, head.keep_alive, head.expects_continue, head.upgrades) == (12, True, False, ())


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET  / HTTP/1.1", 400),
        ("GET / HTTP/1.1 ", 400),
        ("GET\t/ HTTP/1.1", 400),
        ("GET /a b HTTP/1.1", 400),
        ("GET /ü HTTP/1.1", 400),
        ("GET / http/1.1", 400),
        ("GET / HTTP/11", 400),
        ("GET /", 400),
        ("", 400),
        ("G@T / HTTP/1.1", 400),
        ("/ HTTP/1.1", 400),
        ("GET a HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("GET ftp://x/ HTTP/1.1", 400),
        ("GET http:// HTTP/1.1", 400),
        ("GET http://user@x/ HTTP/1.1", 400),
        ("GET /#a HTTP/1.1", 400),
        ("GET /%zz HTTP/1.1", 400),
        ("GET /%f HTTP/1.1", 400),
        ("CONNECT x:80 HTTP/1.1", 501),
        ("PRI * HTTP/2.0", 505),
        ("GET / HTTP/0.9", 505),
        ("GET / HTTP/3.0", 505),
    ],
)
def test_request_line_that_is_none_is_refused(line: str, status: int) -> None:
    assert _status(request=line) == status


@pytest.mark.parametrize(
    "line",
    ["X-A : b", " X-A: b", "\tfolded", "X A: b", "X-A", ": b", "X-A: \x00", "X-A: b\rc", "X-A: \x7f", "Xü: b", ""],
)
def test_header_line_that_is_none_is_refused(line: str) -> None:
    assert _status(line) == 400


@pytest.mark.parametrize(
    "host",
    ["", "a b", "user@x", "x:y", "x:123456", "http://x", "x/", "[::1", "x,y", "ü", "x:80:80"],
)
def test_host_that_is_none_is_refused(host: str) -> None:
    if host == "x,y":
        assert _head("Host: x,y", host=False).header(b"host") == b"x,y"  # a registered name may have commas
        return
    assert _status(f"Host: {host}", host=False) == 400


@pytest.mark.parametrize("host", ["x", "127.0.0.1:8000", "[::1]", "[::1]:80", "a.b-c_d~", "x:"])
def test_host_that_is_one_is_taken(host: str) -> None:
    assert _head(f"Host: {host}", host=False).header(b"host") == host.encode()


def test_request_needs_one_host_unless_it_is_of_1_0() -> None:
    assert _status(host=False) == 400
    assert _status("Host: x") == 400
    assert _head(request="GET / HTTP/1.0", host=False).version == "1.0"
    assert _status("Host: x", request="GET / HTTP/1.0") == 400


def test_absolute_target_has_the_say_over_the_host() -> None:
    head = _head(request="GET http://other:81/a?b HTTP/1.1")
    assert (head.path, head.query) == (b"/a", b"b")
    assert head.header(b"host") == b"other:81"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Content-Length: +5"], 400),
        (["Content-Length: -5"], 400),
        (["Content-Length: 5, 5"], 400),
        (["Content-Length: 5", "Content-Length: 5"], 400),
        (["Content-Length: 5", "Content-Length: 6"], 400),
        (["Content-Length: 0x5"], 400),
        (["Content-Length:"], 400),
        (["Content-Length: 5\xb2"], 400),
        (["Transfer-Encoding: chunked", "Content-Length: 5"], 400),
        (["Transfer-Encoding: chunked, chunked"], 400),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], 400),
        (["Transfer-Encoding:"], 400),
        (["Transfer-Encoding: identity"], 501),
        (["Transfer-Encoding: gzip, chunked"], 501),
        (["Transfer-Encoding: gzip", "Transfer-Encoding: chunked"], 501),
        (["Transfer-Encoding: xchunked"], 501),
        (["Transfer-Encoding: chunked;a"], 501),
    ],
)
def test_body_whose_length_is_not_clear_is_refused(lines: list[str], status: int) -> None:
    assert _status(*lines) == status


def test_chunks_are_refused_of_1_0() -> None:
    assert _status("Transfer-Encoding: chunked", request="POST / HTTP/1.0") == 400


def test_length_is_read() -> None:
    assert _head("Content-Length: 0005").length == 5
    assert _head("Content-Length: " + "9" * 5000).length == 10**18
    assert _head("Transfer-Encoding: Chunked").length is None
    assert _head().length == 0


def test_connection_and_upgrade_are_lists() -> None:
    head = _head("Connection: keep-alive", "Connection: , Upgrade", "Upgrade: h2c", "Upgrade: WebSocket")
    assert head.upgrades == (b"h2c", b"websocket")
    assert head.keep_alive
    assert _head("Upgrade: websocket").upgrades == ()
    assert _head("Connection: upgrade", "Upgrade: websocket", request="GET / HTTP/1.0").upgrades == ()
    assert not _head("Connection: foo, Close").keep_alive
    assert not _head("Connection: keep-alive", request="GET / HTTP/1.0").keep_alive


def test_expectation_counts_from_1_1_on() -> None:
    assert _head("Expect: 100-Continue").expects_continue
    assert not _head("Expect: 100-continue", request="POST / HTTP/1.0").expects_continue
    assert _head(request="GET / HTTP/1.7").version == "1.1"
