"""A relay in front of a server: it cuts, holds, delays and halves what it passes on, and reorders connections."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

import anyio
from anyio.abc import SocketAttribute, SocketStream

from tests.kit.raw_http import Address

__all__ = ["RELAY_KINDS", "Relay", "open_relay"]

#: Ways in which a relay treats its connections for a time. `hold` passes nothing on; `delay` is late; `halve` sends
#: each piece in two; `tear` sends half of a piece and resets the connection; `reorder` opens new connections later, the
#: last one first.
RELAY_KINDS = ("hold", "delay", "halve", "tear", "reorder")
_MAX_BYTES = 65536
_MAX_DELAY_SECONDS = 0.03
_RESET = struct.pack("ii", 1, 0)
_ENDS = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream, OSError)


class Relay:
    """Connections to the server at `target`; made by `open_relay`."""

    def __init__(self, address: Address, target: Address, random: Random) -> None:
        """Clients connect to `address`."""
        self.address = address
        self._target = target
        self._random = random
        self._way = ""
        self._over = anyio.Event()
        self._waiting: list[anyio.Event] = []
        self._open: set[_Connection] = set()

    def treat(self, way: str) -> None:
        """Treat all connections in one of `RELAY_KINDS`, until `pass_on`."""
        self._way, self._over = way, anyio.Event()

    def pass_on(self) -> None:
        """Treat the connections well again."""
        if self._way == "tear":
            self.cut()
        self._way = ""
        self._over.set()
        # Tasks go on in the order in which their events are set.
        while self._waiting:
            self._waiting.pop().set()

    def cut(self) -> None:
        """Reset all connections."""
        for connection in list(self._open):
            connection.reset()

    async def serve(self, client: SocketStream) -> None:
        """Relay one connection to its end."""
        async with client:
            if self._way == "reorder":
                self._waiting.append(anyio.Event())
                await self._waiting[-1].wait()
            with suppress(OSError):
                async with await anyio.connect_tcp(*self._target) as server:
                    await self._relay(_Connection(client, server))

    async def _relay(self, connection: _Connection) -> None:
        self._open.add(connection)
        try:
            with connection.scope:
                async with anyio.create_task_group() as both:
                    both.start_soon(self._copy, connection, connection.client, connection.server)
                    both.start_soon(self._copy, connection, connection.server, connection.client)
        finally:
            self._open.discard(connection)

    async def _copy(self, connection: _Connection, source: SocketStream, target: SocketStream) -> None:
        try:
            while True:
                await self._pass(connection, await source.receive(_MAX_BYTES), target)
        except anyio.EndOfStream:
            with suppress(*_ENDS):
                await target.send_eof()
        except _ENDS:
            connection.reset()

    async def _pass(self, connection: _Connection, data: bytes, target: SocketStream) -> None:
        half = len(data) // 2
        match self._way:
            case "hold":
                await self._over.wait()
            case "delay":
                with anyio.move_on_after(self._random.uniform(0, _MAX_DELAY_SECONDS)):
                    await self._over.wait()
            case "halve" if half:
                await target.send(data[:half])
                await anyio.lowlevel.checkpoint()
                data = data[half:]
            case "tear":
                await target.send(data[:half])
                connection.reset()
        await target.send(data)


class _Connection:
    """A client's connection and the one to the server."""

    def __init__(self, client: SocketStream, server: SocketStream) -> None:
        self.client = client
        self.server = server
        self.scope = anyio.CancelScope()

    def reset(self) -> None:
        """Close both like a network that broke: each side gets RST."""
        for stream in (self.client, self.server):
            with suppress(*_ENDS):
                stream.extra(SocketAttribute.raw_socket).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.scope.cancel()


@asynccontextmanager
async def open_relay(target: Address, random: Random) -> AsyncIterator[Relay]:
    """Relay connections to the server at `target` until the block ends."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        host, port = listener.extra(SocketAttribute.raw_socket).getsockname()[:2]
        relay = Relay((host, port), target, random)
        group.start_soon(listener.serve, relay.serve)
        yield relay
        group.cancel_scope.cancel()
