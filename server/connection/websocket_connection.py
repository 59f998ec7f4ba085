"""uvicorn's WebSocket protocol class, with what it leaves out; `connections` says what it offers beyond ASGI."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.datastructures import Headers
from websockets.http11 import Request as HttpRequest
from websockets.protocol import Protocol, State

from server.connection.connection_limits import Guest
from server.connection.connections import CONNECTION, EXTENSION, FRAMES, WRITE, extend, writer
from server.connection.open_socket import OpenSocket
from server.connection.websocket_keepalive import Keepalive
from server.protocol.http.head import RequestHead
from server.protocol.http.websocket_handshake import VERSION

__all__ = ["OPEN_SCOPE", "Session", "WebSocketConnection", "serve_session"]

#: What is left of the scope of an open WebSocket.
OPEN_SCOPE = ("type", "app", "extensions")

#: Serves an open WebSocket until it ends.
Session = Callable[[OpenSocket], Coroutine[Any, Any, None]]


async def serve_session(socket: WebSocket, session: Session) -> None:
    """Serve the rest of the life of a WebSocket that was accepted, as the last thing that its application does.

    Where the server lets us, that is behind the middlewares that let the socket in, and past what they have made of
    `send`: they would be a third of what an idle socket costs. Nothing of the handshake can be read any more.
    """
    connection: WebSocketConnection | None = socket.scope.get("extensions", {}).get(CONNECTION)
    if connection is None:
        await session(OpenSocket(socket.scope, socket.receive, socket.send))
    elif writer(socket.scope) is None or connection.conn.extensions:
        connection.hand_over(session, OpenSocket(socket.scope, socket.receive, socket.send))
    else:
        connection.hand_over(session, OpenSocket(socket.scope, connection.receive, connection.send))


class WebSocketConnection(Keepalive):
    """WebSocket over websockets' sans-I/O protocol."""

    # Most are uvicorn's: as many attributes in a dictionary are 1.5 KiB. Those that it may have besides find one.
    __slots__ = (
        "_guest",
        "_session",
        "app",
        "app_state",
        "asgi_version",
        "client",
        "config",
        "conn",
        "connections",
        "default_headers",
        "disconnected",
        "handshake_complete",
        "handshake_initiated",
        "initial_response",
        "logger",
        "loop",
        "request",
        "response",
        "root_path",
        "scheme",
        "scope",
        "server",
        "tasks",
        "transport",
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Make a connection as uvicorn does."""
        super().__init__(*arguments, **named)
        self._guest: Guest | None = None
        self._session: Coroutine[Any, Any, None] | None = None

    def begin(self, head: RequestHead, early: bytes, guest: Guest | None) -> None:
        """Take over the connection of `guest` behind a handshake in which is no fault, and what came behind it."""
        self._guest = guest
        self._early = early
        target = head.path + b"?" + head.query if head.query else head.path
        # `websockets` wants exactly one protocol, and no options but this. What is offered beside ours is not taken.
        plain = {b"upgrade": b"websocket", b"connection": b"Upgrade"}
        fields = [(name, plain.get(name, value)) for name, value in head.headers]
        headers = Headers([(name.decode("ascii"), value.decode("latin-1")) for name, value in fields])
        self.handle_connect(HttpRequest(target.decode("ascii"), headers))

    async def send(self, message: Any) -> None:
        """Send; behind the answer to the handshake, read on."""
        kind = message["type"]
        if kind == "websocket.close" and self.handshake_complete:
            # Else the client was faster, or broke the protocol meanwhile.
            if not self.close_sent and not self.disconnected and not self.transport.is_closing():
                self.send_close(message.get("code", 1000), message.get("reason") or "")
            return
        await super().send(message)
        if kind == "websocket.accept":
            early, self._early = self._early, b""
            self._forget_handshake()
            self.data_received(early)
        elif kind == "websocket.http.response.start":
            status, headers, body = self.initial_response or (403, [], b"")
            self.initial_response = (status, [*headers, ("Sec-WebSocket-Version", VERSION)], body)
        elif kind == "websocket.http.response.body" and not message.get("more_body", False):
            # The refusal is the answer; uvicorn overlooks that and logs an error.
            self.handshake_complete = True

    def _forget_handshake(self) -> None:
        """Drop what was for the handshake alone; a browser's headers are 2 KiB."""
        del self.request, self.response
        self.server = self.client = None
        if self.conn.state is State.OPEN:
            # Its parser waits for the handshake, which `protocol.http_requests` has read; this one begins behind that.
            self.conn.parser = Protocol.parse(self.conn)
            next(self.conn.parser)

    async def run_asgi(self) -> None:
        """Run the application, then see to it that the connection ends."""
        extend(self.scope, {EXTENSION: self.transport.abort, CONNECTION: self})
        extend(self.scope, {FRAMES: self._write_frames, WRITE: self._write})
        self.app = partial(self._serve, self.app)
        try:
            await super().run_asgi()
        finally:
            # What was offered refers to this connection, which would be garbage only for the collector.
            del self.app
            self.scope.get("extensions", {}).clear()
        self.close_later()

    async def _serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)
        session, self._session = self._session, None
        if session is not None:
            _shrink(scope)
            await session

    def hand_over(self, session: Session, socket: OpenSocket) -> None:
        """Run `session` once the application has returned."""
        self._session = session(socket)

    async def _write_frames(self, frames: bytes) -> bool:
        if self.conn.extensions:
            return False  # each message is compressed for its connection
        # A writer that was let through may find that others have filled it again.
        while not self.writable.is_set():
            await self.writable.wait()
        if not self._write(frames):
            raise WebSocketDisconnect(1006)
        return True

    def _write(self, *frames: bytes) -> bool:
        transport = self.transport
        if not self.writable.is_set() or self.close_sent or transport.is_closing() or self.conn.extensions:
            return False
        transport.writelines(frames)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        if self._guest is not None:
            self._guest.leave()
            self._guest = None
        # The frame of its generator and the protocol refer to one another.
        self.conn.parser.close()


def _shrink(scope: Scope) -> None:
    """Leave in `scope` what an open socket needs; emptied first, for a dictionary stays as large as it once was."""
    left = {key: scope[key] for key in OPEN_SCOPE}
    scope.clear()
    scope.update(left)
