"""Adds headers to every HTTP answer: the id of the request, for bug reports, and the security rules for browsers."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from realtime.service.access_log import REQUEST, RequestInfo, note_answer
from server.middleware.client_address import GIVEN_ID
from server.protocol.http.addresses import network_of

__all__ = ["AnswerHeaders"]

_Pairs = Sequence[tuple[bytes, bytes]]

#: The same headers as the original sent, ready for the wire.
SECURITY_HEADERS = (
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-dns-prefetch-control", b"off"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-xss-protection", b"0"),
    (b"origin-agent-cluster", b"?1"),
    (b"x-download-options", b"noopen"),
    (b"x-permitted-cross-domain-policies", b"none"),
)
#: Only over https: RFC 6797 §7.2, "An HSTS Host MUST NOT include the STS header field in HTTP responses conveyed over
#: non-secure transport."
STRICT_TRANSPORT_SECURITY = (b"strict-transport-security", b"max-age=15552000; includeSubDomains")
_REQUEST_ID = b"x-request-id"
_ADDED = frozenset({_REQUEST_ID, STRICT_TRANSPORT_SECURITY[0], *(name for name, _ in SECURITY_HEADERS)})
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})
_BODIES = frozenset({"http.response.body", "websocket.http.response.body"})
_HANDSHAKE_ANSWERS = frozenset({"websocket.accept", "websocket.http.response.start"})


class AnswerHeaders:
    """ASGI middleware. It is outside of all that refuse, so that the refusals of the others get the headers too."""

    def __init__(self, app: ASGIApp, *, notes_answers: bool = False) -> None:
        """Add the headers to the answers of `app`, and with `notes_answers` write a line for each."""
        self._app = app
        self._notes_answers = notes_answers

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one connection. Not `async`: an open stream then holds no coroutine of this middleware."""
        address = (scope.get("client") or ("",))[0]
        request = RequestInfo(address, network_of(address), scope["path"], scope.get(GIVEN_ID))
        REQUEST.set(request)
        if self._notes_answers:
            send = _noting(send, scope.get("method", "GET"))
        if scope["type"] == "websocket":
            return self._app(scope, receive, _with_request_id(send, request))
        return self._app(scope, receive, _with_all(send, request, is_secure=scope.get("scheme") == "https"))


def _noting(send: Send, method: str) -> Send:
    """Write a line once the answer is complete; to a handshake it is with its head."""
    began, status = monotonic(), 101

    async def sent(message: Message) -> None:
        nonlocal status
        await send(message)
        if message["type"] in _STARTS:
            status = message["status"]
        elif message["type"] == "websocket.accept" or (message["type"] in _BODIES and not message.get("more_body")):
            note_answer(method, status, monotonic() - began)

    return sent


def _with_request_id(send: Send, request: RequestInfo) -> Send:
    """Add an id to the answer to a handshake."""

    async def sent(message: Message) -> None:
        if message["type"] in _HANDSHAKE_ANSWERS:
            own = [pair for pair in message.get("headers", ()) if pair[0].lower() != _REQUEST_ID]
            message["headers"] = [*own, (_REQUEST_ID, request.id.encode())]
        await send(message)

    return sent


def _with_all(send: Send, request: RequestInfo, *, is_secure: bool) -> Send:
    defaults: _Pairs = (*SECURITY_HEADERS, STRICT_TRANSPORT_SECURITY) if is_secure else SECURITY_HEADERS

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            # Pairs of bytes, because `MutableHeaders` looks through all headers for each one that it adds.
            own: _Pairs = message.get("headers", ())
            added = defaults
            names = {name.lower() for name, _ in own}
            if not names.isdisjoint(_ADDED):  # few answers have one of them
                own = [pair for pair in own if pair[0].lower() != _REQUEST_ID]
                added = tuple(pair for pair in defaults if pair[0] not in names)
            message["headers"] = [*own, (_REQUEST_ID, request.id.encode()), *added]
        await send(message)

    return sent
