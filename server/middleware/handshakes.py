"""Refuses faulty WebSocket handshakes at every address (docs/departures.md, row 19)."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from server.connection.connections import HANDSHAKE
from server.problem import problem
from server.protocol.http.websocket_handshake import VERSION, HandshakeFault

__all__ = ["HandshakeGate"]


class HandshakeGate:
    """ASGI middleware: answers requests that ask for a WebSocket and have a fault."""

    def __init__(self, app: ASGIApp) -> None:
        """Pass all other requests to `app`."""
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one connection. Not `async`: an open stream then holds no coroutine of this middleware."""
        fault: HandshakeFault | None = scope.get("extensions", {}).get(HANDSHAKE)
        if fault is None:
            return self._app(scope, receive, send)
        headers = {"Sec-WebSocket-Version": VERSION}
        if fault.status == 426:
            # "A server that sends a 426 (Upgrade Required) response MUST send an Upgrade header field" (RFC 9110, 7.8).
            headers |= {"Upgrade": "websocket", "Connection": "Upgrade, close"}
        return problem(fault.status, fault.sentence, headers=headers)(scope, receive, send)
