"""The bytes of a connection that belong to a body. `test_http_requests` has the tests of chunks, with their heads."""

from __future__ import annotations

from server.protocol.http.body import body_reader


def test_counted_body_takes_no_more_than_its_bytes() -> None:
    reader, buffer = body_reader(5), bytearray(b"hel")
    assert (reader.take(buffer), reader.is_complete) == (b"hel", False)
    buffer += b"lo GET /"
    assert (reader.take(buffer), reader.is_complete) == (b"lo", True)
    assert buffer == b" GET /"


def test_empty_body_is_complete_at_once() -> None:
    buffer = bytearray(b"GET /")
    reader = body_reader(0)
    assert reader.is_complete
    assert (reader.take(buffer), bytes(buffer)) == (b"", b"GET /")


def test_chunked_body_ends_after_its_trailers() -> None:
    reader, buffer = body_reader(None), bytearray(b"2\r\nab\r\n0\r\nX: y\r\n")
    assert (reader.take(buffer), reader.is_complete, bytes(buffer)) == (b"ab", False, b"")
    buffer += b"\r\nGET /"
    assert (reader.take(buffer), reader.is_complete, bytes(buffer)) == (b"", True, b"GET /")
