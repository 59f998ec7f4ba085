"""The two kinds of subscribers of a scenario with one interface: envelopes as the original sent them."""

from __future__ import annotations

from typing import Protocol

from tests.kit.deadline import deadline
from tests.kit.raw_http import Answer
from tests.kit.raw_socket import CLOSE, PING, TEXT, Closed, Frame, RawSocket
from tests.kit.recordings import Json
from tests.kit.sse_reader import SseReader, StreamEnded
from tests.kit.wire import bare_block, bare_frame

__all__ = ["SocketSubscriber", "StreamSubscriber", "Subscriber"]

_WAIT_UNITS = 10


class Subscriber(Protocol):
    """The interface of a socket or stream in a scenario."""

    @property
    def response(self) -> Answer:
        """The answer to the handshake or request."""

    async def envelope(self) -> Json:
        """Wait for the next envelope; return it without our own additions."""

    async def settle(self) -> None:
        """Return when the server has read everything that was sent. Nothing else may arrive meanwhile."""

    async def leave(self, code: int, reason: str) -> None:
        """Leave like the client of the recording."""


class SocketSubscriber:
    """A raw WebSocket."""

    def __init__(self, socket: RawSocket, *, is_dashboard: bool) -> None:
        """Read `socket`. The dashboard answers no JSON ping, so `settle` uses a protocol ping there."""
        self.socket = socket
        self._is_dashboard = is_dashboard

    @property
    def response(self) -> Answer:
        """The answer to the handshake."""
        return self.socket.response

    async def frame(self) -> Frame:
        """Wait for the next frame that is not a protocol ping."""
        async with deadline(_WAIT_UNITS):
            while (frame := await self.socket.receive()).opcode == PING:
                pass
        return frame

    async def envelope(self) -> Json:
        """Wait for the next envelope, which must be in a text frame."""
        frame = await self.frame()
        assert frame.opcode == TEXT, f"expected an envelope, got {frame}"
        return bare_frame(frame.text)

    async def settle(self) -> None:
        """Ping and wait for the pong. The server handles frames in order."""
        if self._is_dashboard:
            return
        await self.socket.send_text('{"type":"ping"}')
        envelope = await self.envelope()
        assert envelope["type"] == "pong", f"expected silence, got {envelope}"

    async def leave(self, code: int, reason: str) -> None:
        """Close, and check that the server echoes code and reason."""
        async with deadline(_WAIT_UNITS):
            assert await self.socket.close(code, reason) == (code, reason)

    async def ended(self, code: int) -> None:
        """Wait for the server's close with this code. No envelope may come before it."""
        try:
            frame = await self.frame()
        except Closed:
            raise AssertionError(f"expected a close frame with {code}, the connection was dropped") from None
        assert frame.opcode == CLOSE, f"expected a close frame with {code}, got {frame}"
        assert frame.close[0] == code, f"expected {code}, got {frame.close}"


class StreamSubscriber:
    """A raw event stream."""

    def __init__(self, stream: SseReader) -> None:
        """Read `stream`."""
        self.stream = stream

    @property
    def response(self) -> Answer:
        """The answer to the request."""
        return self.stream.response

    async def envelope(self) -> Json:
        """Wait for the next block."""
        async with deadline(_WAIT_UNITS):
            try:
                type_, payload = bare_block(await self.stream.block())
            except StreamEnded as ended:
                raise AssertionError(f"expected an event, the stream ended after {ended}") from ended
        return {"type": type_, "payload": payload}

    async def settle(self) -> None:
        """Do nothing: the client of a stream sends nothing."""

    async def leave(self, code: int, reason: str) -> None:
        """Close the connection."""
        await self.stream.aclose()
