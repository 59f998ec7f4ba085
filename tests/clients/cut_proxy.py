"""A TCP relay that can cut its connections, to show how a client reacts when the server closes its connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

__all__ = ["CutProxy", "open_proxy", "serving"]


class CutProxy:
    """Relays to the server at `url`; made by `open_proxy`. It accepts connections again after a cut."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._upstream = (parts.hostname, parts.port)
        self._relays: set[asyncio.Task[None]] = set()
        self.url = ""

    def cut(self) -> int:
        """Cut every connection; return their number."""
        for relay in self._relays:
            relay.cancel()
        return len(self._relays)

    async def aclose(self) -> None:
        """Cut all connections and wait until they are closed."""
        self.cut()
        await asyncio.gather(*self._relays)

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until either side ends it or it is cut."""
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        up_reader, up_writer = await asyncio.open_connection(*self._upstream)
        try:
            # Not a task group: a cut must end quietly, and asyncio's server would log a cancelled handler. OSError,
            # because `write_eof` raises it with "not connected" if a side has left already, and that is not a
            # ConnectionError.
            with suppress(asyncio.CancelledError, OSError):
                await asyncio.gather(self.pump_up(reader, up_writer), self.pump_down(up_reader, writer))
        finally:
            self._relays.discard(task)
            for side in (writer, up_writer):
                side.close()
                with suppress(ConnectionError):
                    await side.wait_closed()

    async def pump_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay what the client sends."""
        await _pump(reader, writer)

    async def pump_down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay what the server sends."""
        await _pump(reader, writer)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


@asynccontextmanager
async def serving(proxy: CutProxy) -> AsyncGenerator[None]:
    """Accept connections for `proxy` on a free port until the block ends."""
    server = await asyncio.start_server(proxy.relay, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    proxy.url = f"http://{host}:{port}"
    try:
        yield
    finally:
        server.close()
        await proxy.aclose()


@asynccontextmanager
async def open_proxy(url: str) -> AsyncGenerator[CutProxy]:
    """Start a relay to `url` on a free port."""
    proxy = CutProxy(url)
    async with serving(proxy):
        yield proxy
