"""Reads the requests of a connection from its bytes: a head, pieces of its body, the end, the next head.

The parser does not read ahead of the caller. The caller decides when to read the next head; until then its bytes stay
in the buffer.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Literal

from server.protocol.http.body import BodyReader, body_reader
from server.protocol.http.head import MAX_HEAD_BYTES, MAX_HEAD_LINES, RequestHead, parse_head, parse_request_line
from server.protocol.http.refusal import RequestRefused

__all__ = ["END", "RequestParser"]

#: Empty lines before a request line that the server ignores (RFC 9112, 2.2).
MAX_EMPTY_LINES = 4
#: Bytes that no head contains: a line end that is not CR LF, or a control character. They are found before the head is
#: complete.
_NEVER = re.compile(rb"(?<!\r)\n|\r(?=[^\n])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class _End(Enum):
    END = "end"


#: A header line that asks for a WebSocket; it is looked for in heads that are refused.
_OFFERS_WEBSOCKET = re.compile(rb"\nupgrade:[^\n]*websocket", re.IGNORECASE)

#: The end of a request, after its body.
END: Literal[_End.END] = _End.END


class RequestParser:
    """Parses requests. Pass bytes to `receive`, then call `next` until it returns None."""

    __slots__ = ("_body", "_buffer", "_empty_lines", "_lines", "_scanned")

    def __init__(self) -> None:
        """Begin before the first request."""
        self._buffer = bytearray()
        self._body: BodyReader | None = None
        self._start_head()

    @property
    def is_in_body(self) -> bool:
        """Whether a head has been read, but not the end of its body."""
        return self._body is not None

    @property
    def has_more(self) -> bool:
        """Whether the buffer holds bytes that are not parsed yet."""
        return bool(self._buffer)

    def receive(self, data: bytes) -> None:
        """Add `data` to the buffer."""
        self._buffer += data

    def next(self) -> RequestHead | bytes | Literal[_End.END] | None:
        """Return the next head, piece of a body or end of a request; None = its bytes have not come yet.

        Raises:
            RequestRefused: the bytes are no request, or too many. The parser cannot be used after this.
        """
        return self._next_head() if self._body is None else self._next_of_body(self._body)

    def rest(self) -> bytes:
        """Remove and return all bytes that are not parsed yet; they belong to another protocol."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return rest

    def _start_head(self) -> None:
        self._scanned = self._lines = self._empty_lines = 0

    def _next_of_body(self, body: BodyReader) -> bytes | Literal[_End.END] | None:
        # The last bytes of a chunked body have no content, so take them before asking whether the body is complete.
        content = body.take(self._buffer)
        if content:
            return content
        if not body.is_complete:
            return None
        self._body = None
        return END

    def _next_head(self) -> RequestHead | None:
        self._skip_empty_lines()
        try:
            return self._complete_head()
        except RequestRefused as refused:
            refused.was_handshake = _OFFERS_WEBSOCKET.search(self._buffer, 0, MAX_HEAD_BYTES) is not None
            raise

    def _complete_head(self) -> RequestHead | None:
        end = self._buffer.find(b"\r\n\r\n", max(0, self._scanned - 3), MAX_HEAD_BYTES)
        if end < 0:
            self._check_part()
            return None
        head = parse_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        self._start_head()
        self._body = body_reader(head.length)
        return head

    def _skip_empty_lines(self) -> None:
        while self._buffer.startswith(b"\r\n"):
            self._empty_lines += 1
            if self._empty_lines > MAX_EMPTY_LINES:
                raise RequestRefused(400, "expected a request line, got empty lines")
            del self._buffer[:2]
            self._scanned = self._lines = 0

    def _check_part(self) -> None:
        """Refuse an incomplete head that no further bytes can make valid."""
        buffer, scanned = self._buffer, self._scanned
        found = _NEVER.search(buffer, max(0, scanned - 1))
        if found is not None:
            got = bytes(buffer[max(0, found.start() - 20) : found.end()])
            raise RequestRefused(400, f"expected a head whose lines end in CR LF, got {got!r}")
        has_line, self._scanned = self._lines > 0, len(buffer)
        self._lines += buffer.count(b"\n", scanned)
        line_end = buffer.find(b"\n", 0, MAX_HEAD_BYTES)
        if len(buffer) >= MAX_HEAD_BYTES:
            # Without a line end, the request line itself is too long.
            status, name = (431, "head") if line_end >= 0 else (414, "request line")
            raise RequestRefused(status, f"expected a {name} of at most {MAX_HEAD_BYTES} bytes, got more")
        if self._lines > MAX_HEAD_LINES + 1:
            raise RequestRefused(431, f"expected at most {MAX_HEAD_LINES} header lines, got more")
        if self._lines and not has_line:
            # Check the request line at once: a client of HTTP/0.9 sends nothing after it.
            parse_request_line(bytes(buffer[: line_end - 1]))
