"""One request and its response over HTTP/1.1: uvicorn's, with what it leaves out."""

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
        """Whether no other request can be read behind the present one."""

    def finish(self) -> None:
        """End the connection once what was written has left."""


class Cycle(RequestResponseCycle):
    """A request that the application is to answer."""

    #: Whether the connection ends with the response; decided when the last of it is sent.
    is_last = False
    #: Whether the client has gone, though there may be one that reads on.
    has_left = False
    _owner: Owner | None = None
    _ends_by_close = False

    def belong_to(self, owner: Owner) -> None:
        """Be of `owner` until the application has returned."""
        self._owner = owner

    @property
    def is_stream(self) -> bool:
        """Whether the response has begun, and nobody can say how long it is."""
        return self.response_started and bool(self.chunked_encoding or self._ends_by_close)

    async def run_asgi(self, app: ASGIApp) -> None:  # type: ignore[override]  # uvicorn has types of its own
        """Run the application; afterwards nothing that it was offered holds on to the connection."""

        async def run(scope: Scope, receive: Receive, send: Send) -> None:
            await app(scope, receive, send)
            if self.has_left and not self.response_complete:
                # Else uvicorn would log that the response was not completed.
                self.disconnected = True
                self._finish()

        try:
            await super().run_asgi(run)  # type: ignore[arg-type]
        finally:
            # What was offered refers to this and to the connection; and exceptions that a task group of the application
            # has cancelled its tasks with refer to the scope. For the collector that is garbage only by and by.
            scope: Any = self.scope
            scope["headers"].clear()
            scope.clear()
            self._owner = None

    async def receive(self) -> Any:
        """Return the next message; behind the body, that the client has left."""
        if not self.has_left:
            message = await super().receive()
            if not self.has_left:
                return message
        return _DISCONNECT

    def leave(self) -> None:
        """Let the application learn that the client has left."""
        self.has_left = True
        self.message_event.set()

    async def send(self, message: Any) -> None:
        """Send, with a frame for the body that the client's version of HTTP has."""
        if message["type"] == "http.response.start":
            if not self.response_started:
                message = self._begin(message)
        elif not message.get("more_body", False) and not self.response_complete:
            if self._ends_by_close:
                self.expected_content_length = len(message.get("body", b""))
            # uvicorn would close at once, and what the client still sends would take the response with it.
            self.is_last, self.keep_alive = not self.keep_alive, True
        await super().send(message)

    def _begin(self, message: Message) -> Message:
        if self._owner is not None and self._owner.must_close:
            self.keep_alive = False
        headers = list(message.get("headers", ()))
        if not self.keep_alive:
            # As sse-starlette has it, who knows nothing of the connection.
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
