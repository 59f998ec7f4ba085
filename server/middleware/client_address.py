"""Address and scheme of the client of a request, and its id, also behind proxies (docs/operating.md, "Proxies")."""

from __future__ import annotations

import re
from collections.abc import Awaitable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from server.protocol.http.addresses import TrustedProxies, plain_address

__all__ = ["GIVEN_ID", "ClientAddress"]

#: Key in the scope for the id of the request that a trusted proxy has sent.
GIVEN_ID = "boardcast.request_id"
_ID = re.compile(r"[A-Za-z0-9._~:+/=-]{1,128}", re.ASCII)
_SCHEMES = frozenset({"http", "https", "ws", "wss"})


class ClientAddress:
    """ASGI middleware, the outermost one: writes address and scheme of the client into the scope."""

    def __init__(self, app: ASGIApp, proxies: TrustedProxies) -> None:
        """Believe the headers of `proxies`, and of no other peer."""
        self._app = app
        self._proxies = proxies

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one connection. Not `async`: an open stream then holds no coroutine of this middleware."""
        peer, port = scope.get("client") or ("", 0)
        plain = plain_address(peer) or peer
        if self._proxies.trusts(plain):
            headers = Headers(scope=scope)
            _set_scheme(scope, headers)
            _set_id(scope, headers)
            client = self._proxies.client_of(plain, headers.getlist("x-forwarded-for"))
            scope["client"] = (client, port if client == plain else 0)
        elif plain != peer:
            scope["client"] = (plain, port)
        return self._app(scope, receive, send)


def _set_id(scope: Scope, headers: Headers) -> None:
    given = headers.getlist("x-request-id")
    # An id stands in the log and in an answer. It must be one word of a bounded length.
    if len(given) == 1 and _ID.fullmatch(given[0]):
        scope[GIVEN_ID] = given[0]


def _set_scheme(scope: Scope, headers: Headers) -> None:
    # The last one is that of the nearest proxy; a client can send the others itself.
    scheme = ",".join(headers.getlist("x-forwarded-proto")).rpartition(",")[2].strip()
    if scheme in _SCHEMES:
        secure, plain = ("wss", "ws") if scope["type"] == "websocket" else ("https", "http")
        scope["scheme"] = secure if scheme in ("https", "wss") else plain
