"""Access by token, the same at every exit (docs/access.md).

The gate identifies the caller of every HTTP request and every raw socket before the transport sees it. It lets a
GraphQL socket without a token in its handshake pass; the transport then asks `scope["state"]["admission"]` about
`connection_init`. The cookie of a session counts only where no token is given.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from realtime.errors import NotAuthenticated, StoreUnavailable
from realtime.limits import LimitReached
from realtime.rates import CLIENT
from realtime.service import NOTHING, Caller
from realtime.service.access_log import network_of_request, note_refusal, note_refused
from server.access.authenticator import Authenticator, bearer, init_tokens
from server.connection.connections import count_for
from server.middleware.session_cookies import SessionCookies
from server.problem import problem, store_problem
from server.protocol.graphql.request import names_operation

__all__ = ["AccessGate"]

_GRAPHQL = "/graphql"
#: Addresses that reveal nothing about the boards: pages and their assets, descriptions, and the health of the process.
_OPEN = re.compile(
    r"/|/boardcast|(/boardcast)?/(dashboard|docs|inspector)|/static/.*"
    r"|/api(/v1)?/(healthz|readyz|version|(openapi|asyncapi)\.json)",
    re.DOTALL,
)
_SESSION = re.compile(r"/api(/v1)?/session")
#: Addresses of the server when a web client has all others. The files of the web client reveal nothing about the boards
#: either.
_OWN = re.compile(r"/(api|graphql|metrics|static)(/.*)?", re.DOTALL)
_WRONG = "The token is not valid"
_MISSING = "expected a token: Authorization: Bearer …, ?access_token=…, or the WebSocket subprotocol bearer.…"
_FOREIGN = "expected a page of this server, or of --allowed-origins"
#: A script in a browser can set no header of a WebSocket handshake, only the subprotocols.
_SUBPROTOCOL = "bearer."


class AccessGate:
    """ASGI middleware: refuses clients without access, and keeps the token out of the answer to a handshake."""

    def __init__(
        self, app: ASGIApp, access: Authenticator, cookies: SessionCookies, *, has_web_client: bool = False
    ) -> None:
        """Pass the requests of admitted clients to `app`; with a web client, pass requests for its pages always."""
        self._app = app
        self._access = access
        self._cookies = cookies
        self._has_web_client = has_web_client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        access = self._access
        address = network_of_request()
        tokens = () if access.is_open else list(_tokens_of(scope))
        try:
            caller = _anonymous(address) if access.is_open else await self._caller_of(scope, tokens)
        except StoreUnavailable as away:  # another node may have made the token, and nobody can tell now
            await store_problem(away)(scope, receive, send)
            return
        client = (None if caller is None else caller.client) or address
        CLIENT.set(client)
        if caller is None and not self._is_page(scope) and not _is_open(scope, bool(tokens)):
            await self._refusal(tokens)(scope, receive, send)
            return
        try:
            count_for(scope, client)
        except LimitReached as reached:
            note_refusal(reached)
            await _refused(503, reached)(scope, receive, send)
            return
        if _is_sign_in(scope) and not access.is_open and not self._cookies.are_trusted(scope):
            note_refused("origin_not_allowed", _FOREIGN)
            await problem(403, _FOREIGN)(scope, receive, send)
            return
        # Change the scope itself: a copy for each open socket would cost another kilobyte.
        state = {**scope.get("state", {}), "caller": caller or Caller(address, grants=NOTHING)}
        if not access.is_open and not tokens:
            state["admission"] = partial(self._admission, caller)
        scope.update(_without_secret(scope), state=state)
        await self._app(scope, receive, send)

    async def _caller_of(self, scope: Scope, tokens: Collection[str]) -> Caller | None:
        """Return the caller of the first valid one of `tokens`, or without any token that of the session's cookie."""
        if not tokens:
            return None if _is_sign_in(scope) else await self._cookies.caller_of(scope)
        await self._access.prepare(*tokens)
        return self._access.first(tokens)

    async def _admission(self, signed_in: Caller | None, payload: Mapping[str, Any]) -> Caller | None:
        """Return the caller whose token is in the payload of `connection_init`, None if that is not valid.

        Without a token there, it is the caller of the session's cookie.

        Raises:
            LimitReached: the token is not valid, and too many such tokens came from the address.
            StoreUnavailable: another node may have made the token, and nobody can tell now.
        """
        tokens = init_tokens(payload)
        if not tokens:
            return signed_in
        undecided = None
        try:
            await self._access.prepare(*tokens)
        except StoreUnavailable as away:
            undecided = away
        caller = self._access.first(tokens)
        if caller is None:
            if undecided is not None:
                raise undecided
            reached = self._access.note_failure(network_of_request())
            if reached is not None:
                raise reached
            note_refusal(NotAuthenticated(_WRONG))
        return caller

    def _refusal(self, tokens: Collection[str]) -> Response:
        reached = self._access.note_failure(network_of_request()) if tokens else None
        if reached is not None:
            note_refusal(reached)
            return _refused(429, reached)
        note_refusal(NotAuthenticated(_WRONG if tokens else _MISSING))
        if tokens:
            return problem(401, _WRONG, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        return problem(401, _MISSING, headers={"WWW-Authenticate": "Bearer"})

    def _is_page(self, scope: Scope) -> bool:
        is_read = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        return self._has_web_client and is_read and _OWN.fullmatch(scope["path"]) is None


@lru_cache(4096)
def _anonymous(address: str) -> Caller:
    return Caller(address)


def _refused(status: int, reached: LimitReached) -> Response:
    return problem(status, reached.message, headers={"Retry-After": str(reached.retry_after_seconds)})


def _tokens_of(scope: Scope) -> Iterator[str]:
    for value in Headers(scope=scope).getlist("authorization"):
        if (token := bearer(value)) is not None:
            yield token
    yield from QueryParams(scope["query_string"]).getlist("access_token")
    for name in scope.get("subprotocols", ()):
        if name.startswith(_SUBPROTOCOL):
            yield name.removeprefix(_SUBPROTOCOL)


def _is_open(scope: Scope, has_token: bool) -> bool:
    """Return whether a client that is not admitted may continue; `has_token`: the client sent a wrong token."""
    path = scope["path"]
    if scope["type"] == "websocket":
        return path == _GRAPHQL and not has_token
    if _is_sign_in(scope):
        return not has_token
    return scope["method"] == "OPTIONS" or _OPEN.fullmatch(path) is not None or _is_graphiql(scope)


def _is_sign_in(scope: Scope) -> bool:
    """Return whether the request begins or ends a session. It acts for nobody, so its cookie makes no caller."""
    is_change = scope["type"] == "http" and scope["method"] in {"POST", "DELETE"}
    return is_change and _SESSION.fullmatch(scope["path"]) is not None


def _is_graphiql(scope: Scope) -> bool:
    is_page = scope["method"] == "GET" and scope["path"] == _GRAPHQL
    is_page = is_page and not names_operation(QueryParams(scope["query_string"]))
    return is_page and "text/html" in Headers(scope=scope).get("accept", "")


def _without_secret(scope: Scope) -> dict[str, Any]:
    # The transport answers with one of the offered subprotocols, and a browser fails without an answer. So when the
    # client offers nothing but the token, the token stays.
    offered = scope.get("subprotocols", [])
    harmless = [name for name in offered if not name.startswith(_SUBPROTOCOL)]
    return {"subprotocols": harmless} if harmless else {}
