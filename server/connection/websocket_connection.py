"""uvicorn's WebSocket protocol class with our additions; `connections` describes its ASGI extensions."""

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
from server.connection.connections import CONNECTION, EXTENSION, FRAMES, WRITE, extend, write_pieces, writer
from server.connection.open_socket import OpenSocket
from server.connection.websocket_keepalive import Keepalive
from server.protocol.http.head import RequestHead
from server.protocol.http.websocket_handshake import VERSION

__all__ = ["OPEN_SCOPE", "Session", "WebSocketConnection", "serve_session"]

#: The keys that stay in the scope of an open WebSocket.
OPEN_SCOPE = ("type", "app", "extensions")

#: Serves an open WebSocket until it ends.
Session = Callable[[OpenSocket], Coroutine[Any, Any, None]]


async def serve_session(socket: WebSocket, session: Session) -> None:
    """Run `session` on an accepted WebSocket until it ends. Call this as the last action of the application.

    On our server, `session` runs after the middlewares have returned, and without their wrappers of `send`: these would
    be a third of the memory of an idle socket. `session` cannot read anything of the handshake.
    """
    connection: WebSocketConnection | None = socket.scope.get("extensions", {}).get(CONNECTION)
    if connection is None:
        await session(OpenSocket(socket.scope, socket.receive, socket.send))
    elif writer(socket.scope) is None:
        connection.hand_over(session, OpenSocket(socket.scope, socket.receive, socket.send))
    else:
        connection.hand_over(session, OpenSocket(socket.scope, connection.receive, connection.send))


class WebSocketConnection(Keepalive):
    """A WebSocket connection, based on the sans-I/O protocol of the library websockets."""

    # Most of these are attributes of uvicorn: in a dictionary they would take 1.5 KiB. Other attributes that uvicorn
    # may set still go into a dictionary.
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

    @property
    def deflates(self) -> bool:
        """Whether the client takes compressed frames."""
        return bool(self.conn.extensions)

    def begin(self, head: RequestHead, early: bytes, guest: Guest | None) -> None:
        """Take over the connection of `guest` after a valid handshake; `early` are the bytes that came after it."""
        self._guest = guest
        self._early = early
        target = head.path + b"?" + head.query if head.query else head.path
        # `websockets` accepts exactly one protocol and one option in these headers, so drop the others that the client
        # offers.
        plain = {b"upgrade": b"websocket", b"connection": b"Upgrade"}
        fields = [(name, plain.get(name, value)) for name, value in head.headers]
        headers = Headers([(name.decode("ascii"), value.decode("latin-1")) for name, value in fields])
        self.handle_connect(HttpRequest(target.decode("ascii"), headers))

    def count_for(self, client: str) -> None:
        """Count the connection for the client from now on.

        Raises:
            LimitReached: the client has as many connections as it may; the connection counts for the earlier one.
        """
        if self._guest is not None:
            self._guest = self._guest.move(client)

    async def send(self, message: Any) -> None:
        """Send `message`; after the answer to the handshake, start to read."""
        kind = message["type"]
        if kind == "websocket.close" and self.handshake_complete:
            # Otherwise the client has closed first, or has violated the protocol meanwhile.
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
            # The refusal answers the handshake. uvicorn does not note that, and would log an error.
            self.handshake_complete = True

    def _forget_handshake(self) -> None:
        """Drop the data of the handshake; a browser's headers are 2 KiB."""
        del self.request, self.response
        self.server = self.client = None
        if self.conn.state is State.OPEN:
            # The old parser waits for the handshake, which `protocol.http.requests` has read. The new one starts after.
            self.conn.parser = Protocol.parse(self.conn)
            next(self.conn.parser)

    async def run_asgi(self) -> None:
        """Run the application, then end the connection."""
        extend(self.scope, {EXTENSION: self.transport.abort, CONNECTION: self})
        extend(self.scope, {FRAMES: self._write_frames, WRITE: self._write})
        self.app = partial(self._serve, self.app)
        try:
            await super().run_asgi()
        finally:
            # The extensions refer to this connection: break the reference cycle.
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
        # Check again after each wait: another writer may have filled the buffer first.
        while not self.writable.is_set():
            await self.writable.wait()
        if not self._write(frames):
            raise WebSocketDisconnect(1006)
        return True

    def _write(self, *frames: bytes) -> bool:
        transport = self.transport
        if not self.writable.is_set() or self.close_sent or transport.is_closing():
            return False
        write_pieces(transport, frames)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        if self._guest is not None:
            self._guest.leave()
            self._guest = None
        # Break the reference cycles between the protocol, its parser's generator, and the error of the parser.
        self.conn.parser.close()
        self.conn.parser_exc = None


def _shrink(scope: Scope) -> None:
    """Keep only `OPEN_SCOPE` in `scope`. It is emptied first, because a dictionary does not shrink when keys go."""
    left = {key: scope[key] for key in OPEN_SCOPE}
    scope.clear()
    scope.update(left)
