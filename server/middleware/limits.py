"""Refuses request bodies and queries that are too large, before anything parses them."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.problem import Problem, problem

__all__ = ["MAX_QUERY_NAMES", "BodyLimit", "QueryLimit"]

#: Most `name=value` pairs in the query of an address; no endpoint needs a tenth of this.
MAX_QUERY_NAMES = 100


class QueryLimit:
    """ASGI middleware: answers 400 to a request or handshake with too many names in its query."""

    def __init__(self, app: ASGIApp) -> None:
        """Pass requests with a shorter query to `app`; several layers parse the query again."""
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one connection. Not `async`: an open stream then holds no coroutine of this middleware."""
        query: bytes = scope["query_string"]
        if query.count(b"&") < MAX_QUERY_NAMES:
            return self._app(scope, receive, send)
        names = sum(map(bool, query.split(b"&")))  # counted as by a parser: `&&` contains no name
        if names <= MAX_QUERY_NAMES:
            return self._app(scope, receive, send)
        return problem(400, f"expected at most {MAX_QUERY_NAMES} names in the query, got {names}")(scope, receive, send)


class BodyLimit:
    """ASGI middleware: limits the bytes of a body as they come, with or without Content-Length."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        """Pass at most `max_bytes` of each body to `app`."""
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to the application, and count the bytes of its body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if length.isdigit() and int(length) > self._max_bytes:
            await problem(413, self._sentence())(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            """Return the next message of the request.

            Raises:
                Problem: 413, the messages so far have more bytes than are allowed.
            """
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                raise Problem(413, self._sentence())
            return message

        await self._app(scope, counted, send)

    def _sentence(self) -> str:
        return f"expected a body of at most {self._max_bytes} bytes"
