"""Relays that give each connection a token, a cookie or an address: its first request gets another header line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.kit.raw_http import Address

__all__ = ["Line", "open_lines", "proxy_of", "relay_with_cookie", "relay_with_token"]

_MAX_LINE = 64 * 1024


@dataclass
class Line:
    """An address whose clients have `token`, which counts for connections that begin later."""

    address: Address
    token: str = ""
    #: The cookie of a session, which its clients have in place of a token.
    cookie: str = ""
    #: The address of its clients, as a proxy reports it, in place of a token.
    client: str = ""
    #: The bytes that came from the server since `hear_anew`, on connections that began since then.
    heard: bytearray = field(default_factory=bytearray)

    def hear_anew(self) -> None:
        """Begin anew for another client."""
        self.heard = bytearray()

    @property
    def header(self) -> str:
        """The header line that a request gets."""
        if self.client:
            return f"X-Forwarded-For: {self.client}"
        return f"Cookie: {self.cookie}" if self.cookie else f"Authorization: Bearer {self.token}"


@asynccontextmanager
async def open_lines(address: Address, count: int) -> AsyncIterator[list[Line]]:
    """Yield so many relays to the server at `address`."""
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        lines = []
        for _ in range(count):
            listener = await stack.enter_async_context(await anyio.create_tcp_listener(local_host="127.0.0.1"))
            host, port = listener.extra(SocketAttribute.raw_socket).getsockname()[:2]
            lines.append(Line((host, port)))
            group.start_soon(listener.serve, partial(_relay, address, lines[-1]))
        yield lines
        group.cancel_scope.cancel()


@asynccontextmanager
async def relay_with_token(address: Address, token: str) -> AsyncIterator[Address]:
    """Yield the address of a relay to `address`, whose clients all have `token`."""
    async with open_lines(address, 1) as (line,):
        line.token = token
        yield line.address


@asynccontextmanager
async def relay_with_cookie(address: Address, cookie: str) -> AsyncIterator[Address]:
    """Yield the address of a relay to `address`, whose clients all have `cookie`."""
    async with open_lines(address, 1) as (line,):
        line.cookie = cookie
        yield line.address


@asynccontextmanager
async def proxy_of(address: Address, client: str) -> AsyncIterator[Address]:
    """Yield the address of a relay to `address`, which reports `client` as the address of its clients."""
    async with open_lines(address, 1) as (line,):
        line.client = client
        yield line.address


async def _relay(address: Address, line: Line, client: SocketStream) -> None:
    with suppress(anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead, OSError):
        async with client, await anyio.connect_tcp(*address) as server, anyio.create_task_group() as both:
            reading = BufferedByteReceiveStream(client)
            begin = await reading.receive_until(b"\r\n", _MAX_LINE)
            await server.send(begin + f"\r\n{line.header}\r\n".encode())
            both.start_soon(_copy, reading, server)
            both.start_soon(_copy, server, client, line.heard.extend)


async def _copy(
    source: SocketStream | BufferedByteReceiveStream, target: SocketStream, hear: Callable[[bytes], object] = len
) -> None:
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
        while True:
            data = await source.receive()
            hear(data)
            await target.send(data)
    # uvloop raises RuntimeError when the other direction has closed the target.
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError, RuntimeError):
        await target.send_eof()
