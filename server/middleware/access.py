"""Access by token: one decision for every exit (docs/protocol.md). A client may use everything or nothing.

The gate checks every HTTP request and every raw socket before the transport sees it. It lets a GraphQL socket without
a token in its handshake pass; the transport then asks `scope["state"]["may_connect"]` about `connection_init`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from hashlib import sha256
from ipaddress import ip_network
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from realtime.limits import LimitReached
from realtime.rates import CLIENT, Rate
from realtime.service import Caller
from server.problem import problem

__all__ = ["Access", "AccessGate"]

_GRAPHQL = "/graphql"
#: Addresses that reveal nothing about the boards: pages and their assets, and the health of the process.
_OPEN = re.compile(r"/|/boardcast|/static/.*|/api(/v1)?/(healthz|readyz|version)", re.DOTALL)
#: Addresses of the server when a web client has all others. The files of the web client reveal nothing about the boards
#: either.
_OWN = re.compile(r"/(api|graphql|metrics|static)(/.*)?", re.DOTALL)
#: A script in a browser can set no header of a WebSocket handshake, only the subprotocols.
_SUBPROTOCOL = "bearer."
_INIT_NAMES = ("authorization", "token")
_MINUTE = 60.0


class Access:
    """Holds the tokens, and is the only place that compares them."""

    def __init__(self, tokens: Collection[str], *, max_failures: int = 0) -> None:
        """Admit each client that has one of `tokens`; without any tokens, admit every client.

        Each address may send `max_failures` wrong tokens a minute, 0 = any number. A valid token always admits:
        otherwise one client could lock out all others behind the same address.
        """
        self._tokens = [token.encode() for token in tokens]
        self._failures = Rate(max_failures / _MINUTE, "wrong tokens", burst_seconds=_MINUTE)
        self._max_failures = max_failures

    @property
    def is_open(self) -> bool:
        """Whether every client is admitted."""
        return not self._tokens

    def admits(self, token: str) -> bool:
        """Return whether `token` is valid. The time it takes depends on the length of `token` only."""
        given = token.encode()
        # Not `any`, which would stop at the matching token.
        return sum(hmac.compare_digest(given, one) for one in self._tokens) > 0

    def may_connect(self, payload: Mapping[str, Any]) -> bool:
        """Return whether the payload of `connection_init` admits: `authorization` or `token`, case-insensitive."""
        named = [value for name, value in payload.items() if name.lower() in _INIT_NAMES and isinstance(value, str)]
        if self.is_open or any(self.admits(_bearer(value) or value.strip()) for value in named):
            return True
        if named:
            self.note_failure()
        return False

    def note_failure(self) -> Response | None:
        """Count a wrong token of the client of this task; return the answer when it has sent too many."""
        try:
            self._failures.spend(1)
        except LimitReached as reached:
            sentence = f"expected at most {self._max_failures} wrong tokens a minute from an address, got more"
            return problem(429, sentence, headers={"Retry-After": str(reached.retry_after_seconds)})
        return None


class AccessGate:
    """ASGI middleware: refuses clients without access, and keeps the token out of the answer to a handshake."""

    def __init__(self, app: ASGIApp, access: Access, *, has_web_client: bool = False) -> None:
        """Pass the requests of admitted clients to `app`; with a web client, pass requests for its pages always."""
        self._app = app
        self._access = access
        self._has_web_client = has_web_client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        tokens = list(_tokens_of(scope))
        admitted = self._access.is_open or any(self._access.admits(token) for token in tokens)
        caller = Caller(_client(scope, tokens if not self._access.is_open and admitted else []))
        CLIENT.set(caller.client)
        if not admitted and not self._is_page(scope) and not _is_open(scope, bool(tokens)):
            too_many = self._access.note_failure() if tokens else None
            await (too_many or _refusal(bool(tokens)))(scope, receive, send)
            return
        may_connect: Callable[[Mapping[str, Any]], bool] = _anybody if admitted else self._access.may_connect
        # Change the scope itself: a copy for each open socket would cost another kilobyte.
        state = {**scope.get("state", {}), "may_connect": may_connect, "caller": caller}
        scope.update(_without_secret(scope), state=state)
        await self._app(scope, receive, send)

    def _is_page(self, scope: Scope) -> bool:
        is_read = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        return self._has_web_client and is_read and _OWN.fullmatch(scope["path"]) is None


def _tokens_of(scope: Scope) -> Iterator[str]:
    for value in Headers(scope=scope).getlist("authorization"):
        if (token := _bearer(value)) is not None:
            yield token
    yield from QueryParams(scope["query_string"]).getlist("access_token")
    for name in scope.get("subprotocols", ()):
        if name.startswith(_SUBPROTOCOL):
            yield name.removeprefix(_SUBPROTOCOL)


def _bearer(value: str) -> str | None:
    """Return the token of an `Authorization` header (RFC 6750, 2.1); None = the header has another scheme."""
    scheme, _, token = value.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _is_open(scope: Scope, has_token: bool) -> bool:
    """Return whether a client that is not admitted may continue; `has_token`: the client sent a wrong token."""
    path = scope["path"]
    if scope["type"] == "websocket":
        return path == _GRAPHQL and not has_token
    return scope["method"] == "OPTIONS" or _OPEN.fullmatch(path) is not None or _is_graphiql(scope)


def _is_graphiql(scope: Scope) -> bool:
    # A GET without a query cannot execute anything.
    is_page = (
        scope["method"] == "GET" and scope["path"] == _GRAPHQL and "query" not in QueryParams(scope["query_string"])
    )
    return is_page and "text/html" in Headers(scope=scope).get("accept", "")


def _refusal(has_token: bool) -> Response:
    if has_token:
        return problem(401, "The token is not valid", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    sentence = "expected a token: Authorization: Bearer …, ?access_token=…, or the WebSocket subprotocol bearer.…"
    return problem(401, sentence, headers={"WWW-Authenticate": "Bearer"})


def _without_secret(scope: Scope) -> dict[str, Any]:
    # The transport answers with one of the offered subprotocols, and a browser fails without an answer. So when the
    # client offers nothing but the token, the token stays.
    offered = scope.get("subprotocols", [])
    harmless = [name for name in offered if not name.startswith(_SUBPROTOCOL)]
    return {"subprotocols": harmless} if harmless else {}


def _client(scope: Scope, tokens: list[str]) -> str:
    """Return a name for the client: a hash of its token, or without a token its address."""
    if tokens:
        return "token " + sha256(tokens[0].encode()).hexdigest()[:16]
    address: str = (scope.get("client") or ("",))[0]
    # An IPv6 client usually has a whole network of 2^64 addresses.
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _anybody(payload: Mapping[str, Any]) -> bool:
    return True
