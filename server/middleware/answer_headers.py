"""Adds headers to every HTTP answer: an id for bug reports, and the security rules for browsers."""

from __future__ import annotations

from collections.abc import Awaitable
from uuid import uuid4

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["AnswerHeaders"]

#: The same headers as the original sent.
SECURITY_HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "X-Frame-Options": "SAMEORIGIN",
    "X-XSS-Protection": "0",
    "Origin-Agent-Cluster": "?1",
    "X-Download-Options": "noopen",
    "X-Permitted-Cross-Domain-Policies": "none",
}
#: Only over https: RFC 6797 §7.2, "An HSTS Host MUST NOT include the STS header field in HTTP responses conveyed over
#: non-secure transport."
STRICT_TRANSPORT_SECURITY = "max-age=15552000; includeSubDomains"


class AnswerHeaders:
    """ASGI middleware. It is the outermost one, so that the refusals of the others get the headers too."""

    def __init__(self, app: ASGIApp) -> None:
        """Add the headers to the answers of `app`."""
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one connection. Not `async`: an open stream then holds no coroutine of this middleware."""
        if scope["type"] == "websocket":
            return self._app(scope, receive, _with_request_id(send))
        return self._app(scope, receive, _with_all(send, is_secure=scope.get("scheme") == "https"))


def _with_request_id(send: Send) -> Send:
    """Add an id to the answer that refuses an upgrade."""

    async def sent(message: Message) -> None:
        if message["type"] == "websocket.http.response.start":
            MutableHeaders(scope=message)["X-Request-Id"] = str(uuid4())
        await send(message)

    return sent


def _with_all(send: Send, *, is_secure: bool) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = str(uuid4())
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            if is_secure:
                headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT_SECURITY)
        await send(message)

    return sent
