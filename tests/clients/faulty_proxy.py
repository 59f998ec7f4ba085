"""A TCP relay with the faults of proxies and networks, which a test turns on and off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from tests.clients.cut_proxy import CutProxy, serving

__all__ = ["FaultyProxy", "open_faulty_proxy"]


class FaultyProxy(CutProxy):
    """Relays to the server at `url`; made by `open_faulty_proxy`."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        #: Status of the proxy's own answer to each connection, in place of the server's; None = it relays.
        self.status: int | None = None
        #: `Retry-After` of these answers, in seconds; None = they have none.
        self.retry_after: int | None = None
        #: Set when the proxy has answered a `HEAD` itself: the client knows the status then, or soon.
        self.has_told_status = asyncio.Event()
        #: The next bytes that a client gets altered, and what it gets in their place.
        self.alteration: tuple[bytes, bytes] | None = None
        #: The connection that brings these bytes is cut before the last of them, once.
        self.cut_before: bytes | None = None
        self._hushed = 0
        self._opened = 0

    def has_fault_to_come(self) -> bool:
        """Return whether an alteration or a cut still waits for its bytes."""
        return self.alteration is not None or self.cut_before is not None

    def hush(self) -> None:
        """Deliver nothing more on the connections of now, and leave them open."""
        self._hushed = self._opened

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection, or answer it."""
        if self.status is None:
            await super().relay(reader, writer)
            return
        request = await reader.readuntil(b"\r\n\r\n")
        lines = [f"HTTP/1.1 {self.status} Fault", "Content-Type: text/html", "Content-Length: 0", "Connection: close"]
        lines += [] if self.retry_after is None else [f"Retry-After: {self.retry_after}"]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        if request.startswith(b"HEAD "):
            self.has_told_status.set()

    async def pump_down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay what the server sends, with the faults."""
        self._opened += 1
        number = self._opened
        while data := await reader.read(65536):
            if number <= self._hushed:
                continue
            if self.cut_before is not None and self.cut_before in data:
                data, _, _ = data.rpartition(self.cut_before)
                self.cut_before = None
                writer.write(data)
                await writer.drain()
                raise ConnectionResetError
            if self.alteration is not None and self.alteration[0] in data:
                data = data.replace(*self.alteration)
                self.alteration = None
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def open_faulty_proxy(url: str) -> AsyncGenerator[FaultyProxy]:
    """Start a relay to `url` on a free port."""
    proxy = FaultyProxy(url)
    async with serving(proxy):
        yield proxy
