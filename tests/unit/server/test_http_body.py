"""The bytes of a connection that belong to a body. `test_http_requests` has the tests of chunks, with their heads."""

from __future__ import annotations

import pytest

from server.protocol.http.body import BYTES_OF_CHUNK, MAX_SMALL_CHUNKS, body_reader
from server.protocol.http.refusal import RequestRefused


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


def test_body_in_too_many_small_chunks_is_refused() -> None:
    allowed = bytearray(b"1\r\na\r\n" * MAX_SMALL_CHUNKS)
    assert body_reader(None).take(allowed) == b"a" * MAX_SMALL_CHUNKS
    with pytest.raises(RequestRefused, match="chunks of 16 bytes or more after the first 50000"):
        body_reader(None).take(bytearray(b"1\r\na\r\n" * 2 * MAX_SMALL_CHUNKS))


def test_body_may_have_any_number_of_larger_chunks() -> None:
    content = b"a" * BYTES_OF_CHUNK
    chunks = b"%x\r\n%b\r\n" % (len(content), content)
    count = 4 * MAX_SMALL_CHUNKS
    assert body_reader(None).take(bytearray(chunks * count)) == content * count
