"""Who may connect from a web page: one rule for WebSocket upgrades, CORS and preflights (contract §7)."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.problem import problem
from server.settings import is_loopback

__all__ = ["Origins", "is_welcome"]

METHODS = "GET,HEAD,PUT,POST,DELETE,PATCH"
#: Sent with every answer over HTTP, as the original did.
SECURITY_HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Strict-Transport-Security": "max-age=15552000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-DNS-Prefetch-Control": "off",
    "X-Frame-Options": "SAMEORIGIN",
    "X-XSS-Protection": "0",
    "Origin-Agent-Cluster": "?1",
    "X-Download-Options": "noopen",
    "X-Permitted-Cross-Domain-Policies": "none",
}


def is_welcome(origin: str | None, host: str, allowed: frozenset[str]) -> bool:
    """Tell whether a page of `origin` may use the server that it calls `host` (the Host header)."""
    if origin is None or "*" in allowed or origin.lower() in allowed:
        return True
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not name:
        return False
    return parts.netloc.lower() == host.lower() or is_loopback(name)


class Origins:
    """ASGI middleware: refuses upgrades of foreign origins, answers preflights, adds the headers."""

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        """`allowed` are more origins that are welcome, lower case; `*` = all."""
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        welcome = is_welcome(origin, headers.get("host", ""), self._allowed)
        if scope["type"] == "websocket":
            app = self._app if welcome else problem(403, f"Origin {origin} is not allowed")
            await app(scope, receive, _with_request_id(send))
            return
        sent = _with_headers(_with_request_id(send), origin if welcome else None)
        if origin is not None and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(headers, welcome)(scope, receive, sent)
            return
        await self._app(scope, receive, sent)


def _preflight(headers: Headers, welcome: bool) -> Response:
    if not welcome:
        return problem(403, f"Origin {headers['origin']} is not allowed")
    allow = {"Access-Control-Allow-Methods": METHODS, "Access-Control-Max-Age": "600"}
    asked = headers.get("access-control-request-headers")
    if asked:
        allow["Access-Control-Allow-Headers"] = asked
    return Response(status_code=204, headers=allow)


def _with_request_id(send: Send) -> Send:
    """Name each answer over HTTP, that to a refused upgrade included, so that a report of it can be found."""

    async def sent(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            MutableHeaders(scope=message)["X-Request-Id"] = str(uuid4())
        await send(message)

    return sent


def _with_headers(send: Send, origin: str | None) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            headers.add_vary_header("Origin")
            if origin is not None:
                headers["Access-Control-Allow-Origin"] = origin
        await send(message)

    return sent
