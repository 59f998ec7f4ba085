"""uvicorn's WebSocket protocol class, with what it leaves out; `connections` says what it offers beyond ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.protocol import Protocol, State

from realtime.gate import Gate
from server.alarms import alarms
from server.connections import EXTENSION, FRAMES, WRITE, extend, writer
from server.inbox import Inbox
from server.open_socket import OpenSocket

__all__ = ["OPEN_SCOPE", "Session", "WebSocketConnection", "serve_session"]

SOCKET = "boardcast.socket"
#: What is left of the scope of an open WebSocket.
OPEN_SCOPE = ("type", "app", "extensions")
#: Seconds in which a closed socket must have taken what was sent before the close.
FLUSH_SECONDS = 15.0

#: Serves an open WebSocket until it ends.
Session = Callable[[OpenSocket], Coroutine[Any, Any, None]]


async def serve_session(socket: WebSocket, session: Session) -> None:
    """Serve the rest of the life of a WebSocket that was accepted, as the last thing that its application does.

    Where the server lets us, that is behind the middlewares that let the socket in, and past what they have made of
    `send`: they would be a third of what an idle socket costs. Nothing of the handshake can be read any more.
    """
    connection: WebSocketConnection | None = socket.scope.get("extensions", {}).get(SOCKET)
    if connection is None:
        await session(OpenSocket(socket.scope, socket.receive, socket.send))
    elif writer(socket.scope) is None or connection.conn.extensions:
        connection.hand_over(session, OpenSocket(socket.scope, socket.receive, socket.send))
    else:
        connection.hand_over(session, OpenSocket(socket.scope, connection.receive, connection.send))


class WebSocketConnection(WebSocketsSansIOProtocol):
    """WebSocket over websockets' sans-I/O protocol."""

    # Most are uvicorn's: as many attributes in a dictionary are 1.5 KiB. Those that it may have besides find one.
    __slots__ = (
        "_cut",
        "_early",
        "_inbox",
        "_session",
        "app",
        "app_state",
        "asgi_version",
        "client",
        "close_sent",
        "close_timeout",
        "close_timer",
        "config",
        "conn",
        "connections",
        "curr_msg_data_type",
        "default_headers",
        "disconnected",
        "frames",
        "handshake_complete",
        "handshake_initiated",
        "initial_response",
        "last_ping_rtt",
        "logger",
        "loop",
        "pending_ping_payload",
        "ping_interval",
        "ping_sent_at",
        "ping_timeout",
        "ping_timer",
        "pong_timer",
        "queue",
        "read_paused",
        "request",
        "response",
        "root_path",
        "scheme",
        "scope",
        "server",
        "tasks",
        "transport",
        "writable",
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Make a connection as uvicorn does, with less that is made in advance."""
        super().__init__(*arguments, **named)
        self._early = b""
        self._cut: asyncio.TimerHandle | None = None
        self._session: Coroutine[Any, Any, None] | None = None
        self.queue = self._inbox = Inbox()  # type: ignore[assignment]  # what is used of a Queue
        self.writable = Gate()  # type: ignore[assignment]  # an Event but for its name
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        """Keep what comes before our answer to the handshake: nothing may be sent in front of that."""
        if self.handshake_initiated and not self.handshake_complete:
            self._early += data
            self.transport.pause_reading()
        elif data:
            super().data_received(data)
            if not self.handshake_initiated:
                self._refuse_head()

    def handle_text(self, event: Frame) -> None:
        """Take a text frame, and empty it: the parser holds on to it until the next one comes."""
        super().handle_text(event)
        event.data = b""

    def handle_bytes(self, event: Frame) -> None:
        """Take a binary frame, as a text one."""
        super().handle_bytes(event)
        event.data = b""

    def send_receive_event_to_app(self) -> None:
        """Pass a message on; bytes that are no UTF-8 are the client's fault, and nothing to log (RFC 6455, 8.1)."""
        if self.curr_msg_data_type == "text":
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.conn.send_close(1007)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()

    async def receive(self) -> Any:
        """Return the next message, as uvicorn does, in one frame instead of four."""
        while self._inbox.empty():
            await self._inbox.filled()
        message = self._inbox.get_nowait()
        if self.read_paused and self._inbox.empty():
            self.read_paused = False
            self.transport.resume_reading()
        return message

    async def send(self, message: Any) -> None:
        """Send; behind the answer to the handshake, read on."""
        await super().send(message)
        kind = message["type"]
        if kind == "websocket.accept":
            early, self._early = self._early, b""
            self._forget_handshake()
            self.transport.resume_reading()
            self.data_received(early)
        elif kind == "websocket.http.response.body" and not message.get("more_body", False):
            # The refusal is the answer; uvicorn overlooks that and logs an error.
            self.handshake_complete = True

    def _forget_handshake(self) -> None:
        """Drop what was for the handshake alone; a browser's headers are 2 KiB."""
        del self.request, self.response
        self.server = self.client = None
        if self.conn.state is State.OPEN and not self.conn.reader.buffer:
            # Its parser has the request as long as it runs; this one begins where that is now, between two frames.
            self.conn.parser = Protocol.parse(self.conn)
            next(self.conn.parser)

    def schedule_ping(self) -> None:
        """Ping after a while, as uvicorn does; by an alarm."""
        if self.ping_interval is not None:
            seconds = max(0.0, self.ping_interval - self.last_ping_rtt)
            self.ping_timer = alarms().set(seconds, self.send_keepalive_ping)  # type: ignore[assignment]  # can cancel

    async def run_asgi(self) -> None:
        """Run the application, then see to it that the connection ends."""
        extend(self.scope, {EXTENSION: self.transport.abort, SOCKET: self})
        extend(self.scope, {FRAMES: self._write_frames, WRITE: self._write})
        self.app = partial(self._serve, self.app)
        await super().run_asgi()
        self._cut_later()

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
        # Whoever was let through may find that others have filled it again.
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

    def keepalive_timeout(self) -> None:
        """Close a client that answers no ping, also one that takes no close."""
        super().keepalive_timeout()
        self._cut_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        if self._cut is not None:
            self._cut.cancel()

    def _refuse_head(self) -> None:
        # websockets has refused a head with a line too long or lines too many; uvicorn looks for requests only.
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()

    def _cut_later(self) -> None:
        if self._cut is None and not self.disconnected:
            self._cut = self.loop.call_later(FLUSH_SECONDS, self.transport.abort)


def _shrink(scope: Scope) -> None:
    """Leave in `scope` what an open socket needs; emptied first, for a dictionary stays as large as it once was."""
    left = {key: scope[key] for key in OPEN_SCOPE}
    scope.clear()
    scope.update(left)
