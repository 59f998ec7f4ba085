"""Reads the body of a request, with Content-Length or in chunks (RFC 9112, 6 and 7.1)."""

from __future__ import annotations

import re
from typing import Protocol

from server.protocol.http.fields import parse_field_line
from server.protocol.http.head import MAX_HEAD_BYTES, MAX_HEAD_LINES
from server.protocol.http.refusal import RequestRefused

__all__ = ["BodyReader", "body_reader"]

#: Most bytes of a line with a chunk's size and its extensions. The server knows no extension and ignores them.
MAX_CHUNK_LINE_BYTES = 256
#: Most bytes in the size lines of one body beyond the bytes that the chunks of a reasonable client need.
MAX_EXCESS_BYTES = 16 * 1024
#: Most chunks of a body, and bytes of its content for each further chunk. A chunk takes up to 5 µs, and a turn of the
#: event loop may bring a million of them, if each has one byte.
MAX_SMALL_CHUNKS = 50_000
BYTES_OF_CHUNK = 16
#: A size, and extensions without control characters: `chunk-ext` of RFC 9112, 7.1.1, with no check of its inner order.
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")


class BodyReader(Protocol):
    """Takes a body from the bytes of a connection."""

    @property
    def is_complete(self) -> bool:
        """Whether the body has ended; bytes that are left in the buffer then belong to the next request."""

    def take(self, buffer: bytearray) -> bytes:
        """Remove the bytes of the body from the beginning of `buffer`, and return their content.

        Raises:
            RequestRefused: the body is in chunks, and the bytes are no valid chunks.
        """


def body_reader(length: int | None) -> BodyReader:
    """Return the reader of a body of `length` bytes; None = the body is in chunks."""
    return _Chunks() if length is None else _Counted(length)


class _Counted:
    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def is_complete(self) -> bool:
        """See `BodyReader`."""
        return not self._left

    def take(self, buffer: bytearray) -> bytes:
        """See `BodyReader`; it never raises."""
        body = bytes(buffer[: self._left])
        del buffer[: len(body)]
        self._left -= len(body)
        return body


class _Chunks:
    __slots__ = (
        *("_chunks", "_content_bytes", "_excess", "_in_chunk", "_in_trailer", "_left"),
        *("_trailer_bytes", "_trailer_lines", "is_complete"),
    )

    def __init__(self) -> None:
        self.is_complete = False
        #: Bytes of the current chunk that have not come yet.
        self._left = 0
        #: Whether the CR LF at the end of a chunk has not come yet.
        self._in_chunk = False
        self._in_trailer = False
        self._excess = self._chunks = self._content_bytes = 0
        self._trailer_bytes = self._trailer_lines = 0

    def take(self, buffer: bytearray) -> bytes:
        """See `BodyReader`. An incomplete line stays in `buffer` (RFC 9112, 7.1)."""
        parts: list[bytes] = []
        place = 0
        while not self.is_complete:
            if self._left:
                part = bytes(buffer[place : place + self._left])
                if not part:
                    break
                parts.append(part)
                place += len(part)
                self._left -= len(part)
                continue
            line = self._line(buffer, place)
            if line is None:
                break
            place += len(line) + 2
            self._read_line(line)
        # Delete once, not for each chunk: one segment may hold tens of thousands of chunks.
        del buffer[:place]
        return b"".join(parts)

    def _line(self, buffer: bytearray, place: int) -> bytes | None:
        limit = MAX_HEAD_BYTES if self._in_trailer else MAX_CHUNK_LINE_BYTES
        end = buffer.find(b"\n", place, place + limit)
        if end < 0:
            if len(buffer) - place >= limit:
                raise self._too_long(limit)
            return None
        line = bytes(buffer[place:end])
        if not line.endswith(b"\r"):
            raise RequestRefused(400, f"expected CR LF behind each chunk and its size, got {line!r:.80}")
        return line[:-1]

    def _too_long(self, limit: int) -> RequestRefused:
        if self._in_trailer:
            return RequestRefused(431, f"expected trailers of at most {limit} bytes")
        return RequestRefused(400, f"expected a chunk's size in a line of at most {limit} bytes")

    def _read_line(self, line: bytes) -> None:
        if self._in_trailer:
            self._read_trailer(line)
        elif self._in_chunk:
            if line:
                raise RequestRefused(400, f"expected the end of a chunk, got {line!r:.80}")
            self._in_chunk = False
        else:
            self._read_size(line)

    def _read_size(self, line: bytes) -> None:
        match = _CHUNK_LINE.fullmatch(line)
        if match is None:
            raise RequestRefused(400, f"expected the size of a chunk in hexadecimal digits, got {line!r:.80}")
        self._left = int(match[1], 16)
        self._in_chunk, self._in_trailer = self._left > 0, not self._left
        self._chunks += 1
        self._content_bytes += self._left
        if self._chunks > MAX_SMALL_CHUNKS + self._content_bytes // BYTES_OF_CHUNK:
            raise RequestRefused(
                400, f"expected chunks of {BYTES_OF_CHUNK} bytes or more after the first {MAX_SMALL_CHUNKS}"
            )
        # Each chunk may have a size line of 16 bytes and two more for each byte of content: enough for one-byte chunks.
        self._excess = max(0, self._excess + len(line) - 16 - 2 * self._left)
        if self._excess > MAX_EXCESS_BYTES:
            raise RequestRefused(400, f"expected at most {MAX_EXCESS_BYTES} bytes of chunk extensions")

    def _read_trailer(self, line: bytes) -> None:
        # The server uses no trailers and drops them; only a recipient that knows a trailer may use it.
        self.is_complete = not line
        if not line:
            return
        parse_field_line(line)
        self._trailer_lines += 1
        self._trailer_bytes += len(line) + 2
        if self._trailer_lines > MAX_HEAD_LINES or self._trailer_bytes > MAX_HEAD_BYTES:
            raise RequestRefused(431, f"expected at most {MAX_HEAD_LINES} trailers of {MAX_HEAD_BYTES} bytes")
