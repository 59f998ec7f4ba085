"""The head of a response: its lines, the end of the body, and the end of the connection."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.connection.response_head import ResponseHead, response_head

_LENGTH = (b"content-length", b"3")
_KEEP, _CLOSE = (b"Connection", b"keep-alive"), (b"connection", b"Upgrade, close")
_CLOSES = b"connection: Upgrade, close\r\n"


def _head(
    *headers: tuple[bytes, bytes], status: int = 200, has_body: bool = True, keep: bool = True, chunks: bool = True
) -> ResponseHead:
    return response_head(status, headers, has_body=has_body, keep_alive=keep, may_chunk=chunks)


@pytest.mark.parametrize(
    ("head", "text", "length", "is_chunked", "ends_by_close", "keep_alive"),
    [
        (_head(_LENGTH), b"content-length: 3\r\n", 3, False, False, True),
        (_head(), b"transfer-encoding: chunked\r\n", 0, True, False, True),
        (_head(chunks=False), b"", 0, False, True, True),
        (_head(_LENGTH, chunks=False), b"content-length: 3\r\n", 3, False, False, True),
        (_head(has_body=False), b"", 0, False, False, True),
        (_head(_LENGTH, has_body=False), b"content-length: 3\r\n", 3, False, False, True),
        (_head(_LENGTH, keep=False), b"content-length: 3\r\nconnection: close\r\n", 3, False, False, False),
        (_head(_LENGTH, _KEEP), b"content-length: 3\r\nconnection: keep-alive\r\n", 3, False, False, True),
        (_head(_KEEP, _LENGTH, keep=False), b"content-length: 3\r\nconnection: close\r\n", 3, False, False, False),
        (_head(_LENGTH, _CLOSE), b"content-length: 3\r\n" + _CLOSES, 3, False, False, False),
        (
            _head(_CLOSE, _LENGTH, keep=False),
            _CLOSES + b"content-length: 3\r\n",
            3,
            False,
            False,
            False,
        ),
    ],
)
def test_head_says_how_the_body_and_the_connection_end(
    head: ResponseHead, text: bytes, length: int, is_chunked: bool, ends_by_close: bool, keep_alive: bool
) -> None:
    assert head == (b"HTTP/1.1 200 OK\r\n" + text + b"\r\n", length, is_chunked, ends_by_close, keep_alive)


@given(st.binary(max_size=8), st.sampled_from([b"\r", b"\n", b"\r\n", b"\0", b"\x1b", b"\x7f"]), st.booleans())
def test_no_header_begins_another_line(before: bytes, control: bytes, is_name: bool) -> None:
    bad = before + control
    with pytest.raises(RuntimeError, match="control characters"):
        _head((bad, b"value") if is_name else (b"name", bad))


@given(st.binary(max_size=20).filter(lambda value: not {*value} & ({*range(0x20), 0x7F} - {0x09})))
def test_other_values_are_sent_as_they_are(value: bytes) -> None:
    assert b"\r\nname: " + value + b"\r\n" in _head((b"Name", value)).text
