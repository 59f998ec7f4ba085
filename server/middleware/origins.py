"""The web pages that may use the server: one rule for upgrades, CORS, preflights and changes (docs/protocol.md).

A page of another origin may not connect, may not change anything, and may not read an answer. Its requests are refused
before anything reads their bodies. So a request that a browser sends without a preflight (a form, `text/plain`) has no
effect either.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime.errors import quoted
from realtime.service.access_log import note_refused
from server.middleware.hosts import is_local_name, parse_authority
from server.problem import problem

__all__ = ["OriginGate", "Origins"]

METHODS = "GET,HEAD,PUT,POST,DELETE,PATCH"
#: Methods that change nothing (RFC 9110 §9.2.1); a browser hides their answers from a page of another origin.
#: OPTIONS is not among them: a page sends it as the preflight of another request.
_READS = frozenset({"GET", "HEAD"})
#: RFC 6454 §6.2: an origin is a scheme, a host and an optional port, without a path.
_ORIGIN = re.compile(r"(https?)://([^/?#@]+)")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SECURE = frozenset({"https", "wss"})


class _Origin(NamedTuple):
    scheme: str
    name: str
    port: int


class Origins:
    """The origins whose pages may use the server."""

    def __init__(self, allowed: frozenset[str] = frozenset(), *, are_local_welcome: bool = False) -> None:
        """Accept the server's own origin and `allowed` (lower case, `*` = all).

        `are_local_welcome`: pages of every loopback host, at any port, are accepted as well.
        """
        self._any = "*" in allowed
        # An entry that is no web origin, such as `chrome-extension://…` or `null`, is compared as text.
        self._allowed = frozenset(_parse(one) or one for one in allowed)
        self._are_local_welcome = are_local_welcome

    def trusts(self, origin: str, host: str, *, is_secure: bool = False) -> bool:
        """Return whether a page of `origin` may use the cookie of a session; the arguments are those of `welcomes`.

        It must be the server's own, or be named. A browser sends the cookie with requests of every page on the same
        host name, at any port. `*` and the rule about loopback pages were not given for a signed-in user.
        """
        page = _parse(origin)
        return page is not None and (page in self._allowed or _is_own(page, host, is_secure=is_secure))

    def welcomes(self, origin: str | None, host: str, *, is_secure: bool = False) -> bool:
        """Return whether a page of `origin` may use the server.

        Args:
            origin: the Origin header; None = the request has none, so no page has sent it.
            host: the Host header, the name under which the page reached the server.
            is_secure: the connection uses TLS. Then a page of `http` is not the server's own, because anybody on the
                network can forge such a page. Without TLS a page of `https` on the same host and port is the server's
                own as well, because a proxy before the server may end TLS.
        """
        if origin is None or self._any:
            return True
        page = _parse(origin)
        if page is None:
            return origin.strip().lower() in self._allowed
        if page in self._allowed or (self._are_local_welcome and is_local_name(page.name)):
            return True
        return _is_own(page, host, is_secure=is_secure)


class OriginGate:
    """ASGI middleware: refuses foreign origins, answers preflights, and adds the CORS headers."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        """Pass requests of the pages that `origins` accepts to `app`."""
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        headers = Headers(scope=scope)
        given = headers.getlist("origin")
        # A browser sends one Origin header. Several are refused, for none of them is the origin (RFC 6454 §7.3).
        is_welcome = len(given) < 2 and self._welcomes(given, headers, scope)
        if scope["type"] == "websocket":
            await (self._app if is_welcome else _refusal(given))(scope, receive, send)
            return
        sent = _with_cors(send, given[0] if given and is_welcome else None)
        if not is_welcome and scope["method"] not in _READS:
            await _refusal(given)(scope, receive, sent)
        elif given and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(headers)(scope, receive, sent)
        else:
            await self._app(scope, receive, sent)

    def _welcomes(self, given: list[str], headers: Headers, scope: Scope) -> bool:
        origin = given[0] if given else None
        return self._origins.welcomes(origin, headers.get("host", ""), is_secure=scope.get("scheme") in _SECURE)


def _parse(text: str) -> _Origin | None:
    found = _ORIGIN.fullmatch(text.strip().lower())
    authority = parse_authority(found[2]) if found else None
    if found is None or authority is None:
        return None
    port = _DEFAULT_PORTS[found[1]] if authority.port is None else authority.port
    return _Origin(found[1], authority.name, port)


def _is_own(page: _Origin, host: str, *, is_secure: bool) -> bool:
    own = parse_authority(host)
    if own is None or (is_secure and page.scheme != "https"):
        return False
    port = _DEFAULT_PORTS[page.scheme] if own.port is None else own.port
    return (page.name, page.port) == (own.name, port)


def _refusal(origins: list[str]) -> Response:
    sentence = f"Origin {quoted(', '.join(origins))} is not allowed"
    note_refused("origin_not_allowed", sentence)
    return problem(403, sentence)


def _preflight(headers: Headers) -> Response:
    allow = {"Access-Control-Allow-Methods": METHODS, "Access-Control-Max-Age": "600"}
    asked = headers.get("access-control-request-headers")
    if asked:
        allow["Access-Control-Allow-Headers"] = asked
    return Response(status_code=204, headers=allow)


def _with_cors(send: Send, origin: str | None) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = message.get("headers", ())
            if any(name.lower() == b"vary" for name, _ in own):
                MutableHeaders(scope=message).add_vary_header("Origin")
            else:
                message["headers"] = [*own, (b"vary", b"Origin")]
            if origin is not None:
                MutableHeaders(scope=message)["Access-Control-Allow-Origin"] = origin
        await send(message)

    return sent
