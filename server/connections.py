"""uvicorn's protocol classes, with what they leave out for streams that readers stop reading.

A reader that takes nothing can not be closed politely: uvicorn waits until its buffer is empty, which never comes.
`scope["extensions"]["boardcast.abort"]` is a function that drops the connection and what is buffered for it.
Under another server the extension is absent, and ending the response is all there is.

`scope["extensions"]["boardcast.frames"]` of a WebSocket writes frames that are ready: those of a board are the same for
all its readers, and making them is most of what sending costs. Under another server, or where frames are compressed
for each connection, each message is sent as ASGI has it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

import httptools
from starlette.websockets import WebSocketDisconnect
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from server.problem import problem

__all__ = ["HttpConnection", "WebSocketConnection", "abort", "write_frames"]

EXTENSION = "boardcast.abort"
FRAMES = "boardcast.frames"
#: Seconds in which a closed socket must have taken what was sent before the close.
FLUSH_SECONDS = 15.0


def abort(scope: MutableMapping[str, Any]) -> None:
    """Cut the connection of `scope` where the server lets us."""
    cut: Callable[[], None] | None = scope.get("extensions", {}).get(EXTENSION)
    if cut is not None:
        cut()


async def write_frames(scope: MutableMapping[str, Any], frames: bytes) -> bool:
    """Write whole text frames, in their place among what is sent otherwise; wait first until there is room.

    False: the server does not let us, and nothing was written.

    Raises:
        WebSocketDisconnect: the connection is closed, or about to be.
    """
    write: Callable[[bytes], Awaitable[bool]] | None = scope.get("extensions", {}).get(FRAMES)
    return write is not None and await write(frames)


class HttpConnection(HttpToolsProtocol):
    """HTTP/1.1 over httptools; what came behind the head of an upgrade is the WebSocket's."""

    _segment = b""

    def on_message_begin(self) -> None:
        """Begin a request; its scope is new."""
        super().on_message_begin()
        _extend(self.scope, {EXTENSION: self._abort})

    def data_received(self, data: bytes) -> None:
        """Keep the segment for as long as it is parsed."""
        self._segment = data
        super().data_received(data)
        self._segment = b""

    def handle_websocket_upgrade(self) -> None:
        """Hand over, with the bytes that uvicorn would drop (contract §8, row 13)."""
        upgrade = sys.exc_info()[1]  # uvicorn calls this while it handles the parser's exception
        super().handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        if isinstance(upgrade, httptools.HttpParserUpgrade) and isinstance(protocol, WebSocketConnection):
            protocol.data_received(self._segment[upgrade.args[0] :])

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as every other error is answered."""
        refusal = problem(400, msg, headers={"Connection": "close"})
        head = b"".join(b"%b: %b\r\n" % pair for pair in refusal.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%b\r\n%b" % (head, bytes(refusal.body)))
        self.transport.close()

    def _abort(self) -> None:
        self.transport.abort()
        # uvicorn learns of it a turn later, and would log meanwhile that the response was not completed.
        if self.cycle is not None:
            self.cycle.disconnected = True


class WebSocketConnection(WebSocketsSansIOProtocol):
    """WebSocket over websockets' sans-I/O protocol."""

    _early = b""
    _cut: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Keep what comes before our answer to the handshake: nothing may be sent in front of that."""
        if self.handshake_initiated and not self.handshake_complete:
            self._early += data
            self.transport.pause_reading()
        elif data:
            super().data_received(data)
            if not self.handshake_initiated:
                self._refuse_head()

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

    async def send(self, message: Any) -> None:
        """Send; behind the answer to the handshake, read on."""
        await super().send(message)
        kind = message["type"]
        if kind == "websocket.accept":
            early, self._early = self._early, b""
            self.transport.resume_reading()
            self.data_received(early)
        elif kind == "websocket.http.response.body" and not message.get("more_body", False):
            # The refusal is the answer; uvicorn overlooks that and logs an error.
            self.handshake_complete = True

    async def run_asgi(self) -> None:
        """Run the application, then see to it that the connection ends."""
        _extend(self.scope, {EXTENSION: self.transport.abort, FRAMES: self._write_frames})
        await super().run_asgi()
        self._cut_later()

    async def _write_frames(self, frames: bytes) -> bool:
        if self.conn.extensions:
            return False  # each message is compressed for its connection
        if not self.writable.is_set():
            await self.writable.wait()
        if self.close_sent or self.transport.is_closing():
            raise WebSocketDisconnect(1006)
        self.transport.write(frames)
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


def _extend(scope: Any, extensions: Mapping[str, Callable[..., Any]]) -> None:
    # `Any`: uvicorn's scope types know only the extensions of the standard.
    scope.setdefault("extensions", {}).update(extensions)
