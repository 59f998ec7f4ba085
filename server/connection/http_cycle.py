"""One request and its response over HTTP/1: uvicorn's class, but for what it sends, and for clients that leave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.protocols.utils import get_client_addr, get_path_with_query_string

from server.connection.response_head import response_head

__all__ = ["Cycle", "Owner"]

_WITHOUT_BODY = (204, 304)
_DISCONNECT = {"type": "http.disconnect"}


class Owner(Protocol):
    """The connection of a request."""

    @property
    def must_close(self) -> bool:
        """Whether no other request can be read after the current one."""

    def finish(self) -> None:
        """End the connection after all written bytes are sent."""


class Cycle(RequestResponseCycle):
    """A request that the application answers."""

    #: Whether the connection ends after this response; known when the end of the response is sent.
    is_last = False
    #: Whether the client has closed its side of a stream, and counts as gone. It may still be there and read.
    has_left = False
    _owner: Owner | None = None
    #: Whether only the end of the connection ends the body.
    _ends_by_close = False
    #: The head of a response with a known length, until its body comes: one call of the system sends both.
    _held = b""

    def belong_to(self, owner: Owner) -> None:
        """Set the connection of this request; it is released when the application has returned."""
        self._owner = owner

    @property
    def is_stream(self) -> bool:
        """Whether the response has begun and has no known length."""
        return self.response_started and bool(self.chunked_encoding or self._ends_by_close)

    async def run_asgi(self, app: ASGIApp) -> None:  # type: ignore[override]  # uvicorn has types of its own
        """Run the application; afterwards the scope holds no reference to the connection."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            """Run the application; a response whose client has left is then finished without a line in the log."""
            await app(scope, receive, send)
            if self.has_left and not self.response_complete:
                # Otherwise uvicorn would log that the response was not completed.
                self.disconnected = True
                self._finish()

        try:
            await super().run_asgi(run)  # type: ignore[arg-type]
        finally:
            # Break reference cycles, which the garbage collector would free only later. The extensions in the scope
            # refer to this object and to the connection, and exceptions of cancelled task groups refer to the scope.
            scope: Any = self.scope
            scope["headers"].clear()
            scope.clear()
            self._owner = None

    async def receive(self) -> Any:
        """Return the next message; after the body, `http.disconnect` when the client has left."""
        if not self.has_left:
            message = await super().receive()
            if not self.has_left:
                return message
        return _DISCONNECT

    def leave(self) -> None:
        """Report to the application that the client has left."""
        self.has_left = True
        self.message_event.set()

    async def send(self, message: Any) -> None:
        """Send `message`: first the head of the response, then its body in one or more parts.

        Raises:
            RuntimeError: the application sends another message than ASGI expects, or a body of another length.
        """
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        expected = "http.response.body" if self.response_started else "http.response.start"
        if message["type"] != expected or self.response_complete:
            came = "its end" if self.response_complete else expected
            raise RuntimeError(f"expected {came} of a response, got the message {message['type']!r}")
        if self.response_started:
            self._send_body(message.get("body", b""), is_end=not message.get("more_body", False))
        else:
            self._send_head(message["status"], message.get("headers", ()))

    def _send_head(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        if self._owner is not None and self._owner.must_close:
            self.keep_alive = False
        if self.access_log:
            self._log_access(status)
        scope = self.scope
        head = response_head(
            status,
            (*self.default_headers, *headers),
            has_body=scope["method"] != "HEAD" and status not in _WITHOUT_BODY,
            keep_alive=self.keep_alive,
            # "A server MUST NOT send a response containing Transfer-Encoding unless the corresponding request indicates
            # HTTP/1.1" (RFC 9112, 6.1): without a length, the body ends with the connection.
            may_chunk=scope["http_version"] != "1.0",
        )
        self.keep_alive = head.keep_alive
        self.chunked_encoding, self._ends_by_close = head.is_chunked, head.ends_by_close
        self.expected_content_length = head.length
        if head.length and scope["method"] != "HEAD":
            self._held = head.text
        else:
            self.transport.write(head.text)

    def _send_body(self, body: bytes, *, is_end: bool) -> None:
        if self.scope["method"] == "HEAD":
            self.expected_content_length = 0
        elif self.chunked_encoding:
            chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            self.transport.write(chunk + b"0\r\n\r\n" if is_end else chunk)
        else:
            if not self._ends_by_close:
                self.expected_content_length -= len(body)
            if self.expected_content_length < 0:
                raise RuntimeError("the body of a response is longer than its Content-Length")
            self.transport.write(self._held + body)
            self._held = b""
        if is_end:
            self._end()

    def _end(self) -> None:
        if self.expected_content_length:
            raise RuntimeError("the body of a response is shorter than its Content-Length")
        # The connection is not closed at once: if the client is still sending, it would lose the response.
        self.is_last = not self.keep_alive
        self.response_complete = True
        self.message_event.set()
        self.on_response()

    def _log_access(self, status: int) -> None:
        scope = self.scope
        target = get_path_with_query_string(scope)
        line = get_client_addr(scope), scope["method"], target, scope["http_version"], status
        self.access_logger.info('%s - "%s %s HTTP/%s" %d', *line)

    def _finish(self) -> None:
        if self._owner is not None:
            self._owner.finish()
