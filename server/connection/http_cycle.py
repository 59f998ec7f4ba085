"""One request and its response over HTTP/1: uvicorn's class, with additions for HTTP/1.0 and for clients that leave."""

from __future__ import annotations

import math
from typing import Any, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

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
    _ends_by_close = False

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
        """Send `message`; mark the end of the body in a way that the client's HTTP version knows."""
        if message["type"] == "http.response.start":
            if not self.response_started:
                message = self._begin(message)
        elif not message.get("more_body", False) and not self.response_complete:
            if self._ends_by_close:
                self.expected_content_length = len(message.get("body", b""))
            # Keep uvicorn from closing at once: if the client is still sending, it would lose the response.
            self.is_last, self.keep_alive = not self.keep_alive, True
        await super().send(message)

    def _begin(self, message: Message) -> Message:
        if self._owner is not None and self._owner.must_close:
            self.keep_alive = False
        headers = list(message.get("headers", ()))
        if not self.keep_alive:
            # sse-starlette sends `Connection: keep-alive`, which is wrong for a connection that ends.
            headers = [pair for pair in headers if pair[0].lower() != b"connection" or b"close" in pair[1].lower()]
        counted = any(name.lower() == b"content-length" for name, _ in headers)
        has_body = self.scope["method"] != "HEAD" and message["status"] not in _WITHOUT_BODY
        if self.scope["http_version"] == "1.0" and has_body and not counted:
            # "A server MUST NOT send a response containing Transfer-Encoding unless the corresponding request
            # indicates HTTP/1.1" (RFC 9112, 6.1): the body ends with the connection.
            self._ends_by_close, self.chunked_encoding = True, False
            self.expected_content_length = math.inf  # type: ignore[assignment]  # no number of bytes is too many
        return {**message, "headers": headers}

    def _finish(self) -> None:
        if self._owner is not None:
            self._owner.finish()
