"""Who may use the server: one decision for every exit (docs/protocol.md). For now it is all or nothing.

Everything over HTTP and every raw socket is decided before the transport sees it. A GraphQL socket that says nothing
in its handshake is let through, and its transport asks `scope["state"]["may_connect"]` about `connection_init`.
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
#: What tells nothing of the boards: pages and their assets, and whether the process is well.
_OPEN = re.compile(r"/|/boardcast|/static/.*|/api(/v1)?/(healthz|readyz|version)", re.DOTALL)
#: What belongs to the server where a web client has all other addresses, whose files tell nothing of the boards either.
_OWN = re.compile(r"/(api|graphql|metrics|static)(/.*)?", re.DOTALL)
#: A script in a browser can give a WebSocket no header, but this one.
_SUBPROTOCOL = "bearer."
_INIT_NAMES = ("authorization", "token")
_MINUTE = 60.0


class Access:
    """Knows the tokens; nobody else compares them."""

    def __init__(self, tokens: Collection[str], *, max_failures: int = 0) -> None:
        """Admit who has one of `tokens`; without any, everybody.

        Of wrong ones each address may send `max_failures` a minute, 0 = any number. The right one always admits: else
        one client could lock out all others behind its address.
        """
        self._tokens = [token.encode() for token in tokens]
        self._failures = Rate(max_failures / _MINUTE, "wrong tokens", burst_seconds=_MINUTE)
        self._max_failures = max_failures

    @property
    def is_open(self) -> bool:
        """Whether everybody is admitted."""
        return not self._tokens

    def admits(self, token: str) -> bool:
        """Tell whether `token` is one of ours; the time it takes tells nothing but its length."""
        given = token.encode()
        # Not `any`, which would stop at the right one.
        return sum(hmac.compare_digest(given, one) for one in self._tokens) > 0

    def may_connect(self, payload: Mapping[str, Any]) -> bool:
        """Tell whether the payload of `connection_init` admits: `authorization` or `token`, in any case."""
        named = [value for name, value in payload.items() if name.lower() in _INIT_NAMES and isinstance(value, str)]
        if self.is_open or any(self.admits(_bearer(value) or value.strip()) for value in named):
            return True
        if named:
            self.note_failure()
        return False

    def note_failure(self) -> Response | None:
        """Count a wrong token against the client of this task; return the answer when there were too many."""
        try:
            self._failures.spend(1)
        except LimitReached as reached:
            sentence = f"expected at most {self._max_failures} wrong tokens a minute from an address, got more"
            return problem(429, sentence, headers={"Retry-After": str(reached.retry_after_seconds)})
        return None


class AccessGate:
    """ASGI middleware: refuses who may not enter, and keeps the secret out of the answer to a handshake."""

    def __init__(self, app: ASGIApp, access: Access, *, has_web_client: bool = False) -> None:
        """Let through to `app` whom `access` admits; with a web client, everybody to its pages."""
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
        # Into the scope itself: a copy of it for each open socket would be another kilobyte.
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
    """Return the token of an `Authorization` (RFC 6750, 2.1), None when it is of another scheme."""
    scheme, _, token = value.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _is_open(scope: Scope, has_token: bool) -> bool:
    """Tell whether who is not admitted may go on; `has_token`: what it has is wrong."""
    path = scope["path"]
    if scope["type"] == "websocket":
        return path == _GRAPHQL and not has_token
    return scope["method"] == "OPTIONS" or _OPEN.fullmatch(path) is not None or _is_graphiql(scope)


def _is_graphiql(scope: Scope) -> bool:
    # Without a query nothing can be executed by GET, whatever comes of it.
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
    # Transports answer with one that is offered, and a browser fails without: so one that stands alone stays.
    offered = scope.get("subprotocols", [])
    harmless = [name for name in offered if not name.startswith(_SUBPROTOCOL)]
    return {"subprotocols": harmless} if harmless else {}


def _client(scope: Scope, tokens: list[str]) -> str:
    """Return a word for the client: its token, not to be told from the word, else its address."""
    if tokens:
        return "token " + sha256(tokens[0].encode()).hexdigest()[:16]
    address: str = (scope.get("client") or ("",))[0]
    # Of IPv6 each client has 2^64 addresses.
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


def _anybody(payload: Mapping[str, Any]) -> bool:
    return True
