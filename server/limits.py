"""The largest request body: more is answered 413 before anybody parses it."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.problem import Problem, problem

__all__ = ["BodyLimit"]


class BodyLimit:
    """ASGI middleware: counts what comes, whatever the client said about its length."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        """Let at most `max_bytes` through to `app`."""
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._max_bytes:
            await problem(413, self._sentence())(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._max_bytes:
                raise Problem(413, self._sentence())
            return message

        await self._app(scope, counted, send)

    def _sentence(self) -> str:
        return f"expected a body of at most {self._max_bytes} bytes"
