"""The requests of a connection, read from the bytes that come: a head, pieces of its body, the end, the next head.

No more than one request is read ahead of the caller: it decides when the next head may be read, and what came of it
until then stays in the buffer.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Literal

from server.protocol.http.body import BodyReader, body_reader
from server.protocol.http.head import MAX_HEAD_BYTES, MAX_HEAD_LINES, RequestHead, parse_head, parse_request_line
from server.protocol.http.refusal import RequestRefused

__all__ = ["END", "RequestParser"]

#: Empty lines before a request line that are overlooked (RFC 9112, 2.2).
MAX_EMPTY_LINES = 4
#: What no head has: an end of line that is not CR LF, a control character. It is seen before the head is complete.
_NEVER = re.compile(rb"(?<!\r)\n|\r(?=[^\n])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class _End(Enum):
    END = "end"


#: The line of a head that offers a WebSocket, be the rest as it may.
_OFFERS_WEBSOCKET = re.compile(rb"\nupgrade:[^\n]*websocket", re.IGNORECASE)

#: Behind the body of a request.
END: Literal[_End.END] = _End.END


class RequestParser:
    """Reads requests; `receive` bytes, then ask for what they are by `next`, until that is None."""

    __slots__ = ("_body", "_buffer", "_empty_lines", "_lines", "_scanned")

    def __init__(self) -> None:
        """Begin before the first request."""
        self._buffer = bytearray()
        self._body: BodyReader | None = None
        self._start_head()

    @property
    def is_in_body(self) -> bool:
        """Whether a head has been read, and the end of its body has not."""
        return self._body is not None

    @property
    def has_more(self) -> bool:
        """Whether there are bytes that are not read yet."""
        return bool(self._buffer)

    def receive(self, data: bytes) -> None:
        """Add what came."""
        self._buffer += data

    def next(self) -> RequestHead | bytes | Literal[_End.END] | None:
        """Return what comes next; None = it has not come yet.

        Raises:
            RequestRefused: what came is no request, or too much; there is no next one.
        """
        return self._next_head() if self._body is None else self._next_of_body(self._body)

    def rest(self) -> bytes:
        """Take all bytes that are not read yet: they are another protocol's."""
        rest, self._buffer = bytes(self._buffer), bytearray()
        return rest

    def _start_head(self) -> None:
        self._scanned = self._lines = self._empty_lines = 0

    def _next_of_body(self, body: BodyReader) -> bytes | Literal[_End.END] | None:
        # A chunked body may end in bytes without content, so the content is asked for first.
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
        """Refuse what cannot become a head, however it goes on."""
        buffer, scanned = self._buffer, self._scanned
        found = _NEVER.search(buffer, max(0, scanned - 1))
        if found is not None:
            got = bytes(buffer[max(0, found.start() - 20) : found.end()])
            raise RequestRefused(400, f"expected a head whose lines end in CR LF, got {got!r}")
        has_line, self._scanned = self._lines > 0, len(buffer)
        self._lines += buffer.count(b"\n", scanned)
        line_end = buffer.find(b"\n", 0, MAX_HEAD_BYTES)
        if len(buffer) >= MAX_HEAD_BYTES:
            # Without a line's end all of it is the target.
            status, name = (431, "head") if line_end >= 0 else (414, "request line")
            raise RequestRefused(status, f"expected a {name} of at most {MAX_HEAD_BYTES} bytes, got more")
        if self._lines > MAX_HEAD_LINES + 1:
            raise RequestRefused(431, f"expected at most {MAX_HEAD_LINES} header lines, got more")
        if self._lines and not has_line:
            # A client of HTTP/0.9 sends nothing more.
            parse_request_line(bytes(buffer[: line_end - 1]))
