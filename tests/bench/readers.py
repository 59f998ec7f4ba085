"""Readers that cost the load client little: they find message boundaries, and check order, in the received bytes.

Nothing is decoded. A message counts when it holds the *mark* that is next in turn, so a reader that has seen all
marks had every message, once and in order. Which messages those are is left to `workload`.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, cast

from tests.kit.raw_http import Address

__all__ = ["Audience", "EventStreamReader", "MessageFault", "Reader", "SocketReader"]

_TEXT, _PING, _PONG = 0x81, 0x89, 0x8A


class MessageFault(Exception):
    """A reader did not get what it should: a message was lost, came twice or out of order, or the stream ended."""


class Reader(asyncio.Protocol, ABC):
    """One connection of an `Audience`; subclasses know the protocol."""

    #: What the path of the exit is, below `/api/v1`.
    path: ClassVar[str]
    #: How the status line of a good answer begins.
    welcome: ClassVar[bytes]
    #: What the snapshot at the beginning contains: the first mark.
    snapshot: ClassVar[bytes]
    #: More headers of the request, each with its line break.
    headers: ClassVar[str]

    def __init__(self, audience: Audience) -> None:
        """Read for `audience`."""
        #: Marks seen so far.
        self.seen = 0
        self.transport: asyncio.Transport | None = None
        self._audience = audience
        self._rest = b""
        self._welcomed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        # A cast, for uvloop's transports are no subclasses of asyncio's.
        self.transport = cast(asyncio.Transport, transport)
        host, port = self._audience.address
        target = f"/api/v1/{self.path}?boardId={self._audience.board}"
        self.transport.write(f"GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n{self.headers}\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Go through all complete messages and keep the rest."""
        self._audience.bytes_received += len(data)
        data = self._rest + data if self._rest else data
        try:
            at = self.consume(data) if self._welcomed else self._greet(data)
        except (MessageFault, ValueError) as fault:
            self._audience.fail(fault)
            at = len(data)
        self._rest = data[at:]

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the audience, which may still be waiting."""
        self._audience.fail(MessageFault(f"the server ended a stream: {error}"))

    @abstractmethod
    def consume(self, data: bytes, at: int = 0) -> int:
        """Judge the complete messages of `data` from `at`; return where the rest begins."""

    def judge(self, data: bytes, start: int, end: int) -> None:
        """Take the message `data[start:end]`."""
        audience = self._audience
        if self.seen < len(audience.marks) and data.find(audience.marks[self.seen], start, end) >= 0:
            self.seen += 1
            if self.seen == audience.target:
                audience.arrived()
        elif audience.stray is not None and data.find(audience.stray, start, end) >= 0:
            raise MessageFault(f"after {self.seen} marks came {data[start:end]!r:.300}")

    def _greet(self, data: bytes) -> int:
        """Check the head of the answer, once it is complete, and consume what follows it."""
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return 0
        if not data.startswith(self.welcome):
            raise MessageFault(f"expected {self.welcome!r}, got {data!r:.300}")
        self._welcomed = True
        return self.consume(data, end + 4)


class SocketReader(Reader):
    """A raw kanban WebSocket."""

    path = "ws"
    welcome = b"HTTP/1.1 101"
    snapshot = b'{"type":"state"'
    headers = (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: Ym9hcmRjYXN0LWJlbmNoIQ==\r\n"
    )

    def consume(self, data: bytes, at: int = 0) -> int:
        """Walk over the frames by their lengths (RFC 6455 §5.2; a server does not mask)."""
        size = len(data)
        while size - at >= 2:
            start, length = at + 2, data[at + 1]
            if length >= 126:
                start += 2 if length == 126 else 8
                if start > size:
                    break
                length = int.from_bytes(data[at + 2 : start])
            end = start + length
            if end > size:
                break
            if data[at] == _TEXT:
                self.judge(data, start, end)
            else:
                self._control(data[at], data[start:end])
            at = end
        return at

    def _control(self, first: int, payload: bytes) -> None:
        if first != _PING:
            raise MessageFault(f"expected whole text frames, got {first:#x} {payload!r:.200}")
        assert self.transport is not None
        # Masked with zeros, which changes nothing: a client must mask.
        self.transport.write(bytes((_PONG, 0x80 | len(payload), 0, 0, 0, 0)) + payload)


class EventStreamReader(Reader):
    """A raw kanban SSE stream, in a chunked body."""

    path = "sse"
    welcome = b"HTTP/1.1 200"
    snapshot = b"event: state\n"
    headers = "Accept: text/event-stream\r\n"

    def __init__(self, audience: Audience) -> None:
        """Read for `audience`."""
        super().__init__(audience)
        self._block = b""

    def consume(self, data: bytes, at: int = 0) -> int:
        """Walk over the chunks by their sizes (RFC 9112 §7.1)."""
        while (line_end := data.find(b"\r\n", at)) >= 0:
            start = line_end + 2
            end = start + int(data[at:line_end], 16)
            if end == start:
                raise MessageFault("the server ended a stream")
            if end + 2 > len(data):
                break
            self._blocks(data[start:end])
            at = end + 2
        return at

    def _blocks(self, chunk: bytes) -> None:
        data = self._block + chunk if self._block else chunk
        at = 0
        while (empty_line := data.find(b"\n\n", at)) >= 0:
            self.judge(data, at, empty_line)
            at = empty_line + 2
        self._block = data[at:]


class Audience:
    """The readers of one board, who are all to see the same marks."""

    def __init__(self, address: Address, board: str, marks: Sequence[bytes], stray: bytes | None) -> None:
        """Await `marks` in turn, the snapshot's first; `stray` in any other message is a fault."""
        self.address = address
        self.board = board
        self.marks = marks
        self.stray = stray
        #: Number of marks that all readers are awaited to have seen.
        self.target = 0
        self.bytes_received = 0
        self._readers: list[Reader] = []
        self._size = 0
        self._missing = 0
        self._fault: Exception | None = None
        #: None while nobody waits.
        self._complete: asyncio.Future[None] | None = None

    async def seat(self, kind: type[Reader], count: int) -> None:
        """Connect `count` readers and return when each has its snapshot; once."""
        self._size = count
        complete = self.expect(1)
        host, port = self.address
        for _ in range(count):
            _, reader = await asyncio.get_running_loop().create_connection(lambda: kind(self), host, port)
            self._readers.append(reader)
        await complete

    def expect(self, marks: int) -> asyncio.Future[None]:
        """Return what is done when each reader has seen `marks` marks; call it before what causes them.

        The future raises `MessageFault` when that cannot be any more.
        """
        self.target, self._missing = marks, self._size
        complete = self._complete = asyncio.get_running_loop().create_future()
        if self._fault is not None:
            complete.set_exception(self._fault)
        return complete

    def arrived(self) -> None:
        """Count a reader that has seen as many marks as are awaited."""
        self._missing -= 1
        if self._missing == 0 and self._complete is not None and not self._complete.done():
            self._complete.set_result(None)

    def fail(self, fault: Exception) -> None:
        """End this waiting, or the next, with `fault`; the first one counts."""
        self._fault = self._fault or fault
        if self._complete is not None and not self._complete.done():
            self._complete.set_exception(fault)

    def dismiss(self) -> None:
        """Close all connections."""
        if self._complete is not None:
            self._complete.cancel()
        for reader in self._readers:
            if reader.transport is not None:
                reader.transport.abort()
