"""HTTP/1.1 over a plain TCP connection: it sends exact bytes, and returns exact status, headers and body.

It has no redirects, pooling or decoding: replays compare the bytes that a client of the original would have read.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import orjson
from anyio.abc import ByteReceiveStream, SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

__all__ = ["Address", "Answer", "Connection", "Headers", "connect", "exchange", "request_bytes"]

#: Host and port of the server under test.
Address = tuple[str, int]
#: Names and values in the order of the wire.
Headers = list[tuple[str, str]]

_MAX_HEAD_BYTES = 64 * 1024
_SMALL_SEGMENT = 536
_MAX_CHUNK_LINE_BYTES = 256


@dataclass(frozen=True)
class Answer:
    """A response; `body` is empty until it is read."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, None if it is absent. Case does not matter."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def json(self) -> object:
        """Return the body, parsed."""
        parsed: object = orjson.loads(self.body)
        return parsed


class _Paced(ByteReceiveStream):
    """The receiving side of a stream, in small portions."""

    def __init__(self, stream: SocketStream, pace: Callable[[], Awaitable[object]], count: int) -> None:
        self._stream = stream
        self._pace = pace
        self._count = count
        self._left = 0

    async def receive(self, max_bytes: int = 65536) -> bytes:
        if not self._left:
            await self._pace()
            self._left = self._count
        data = await self._stream.receive(min(max_bytes, self._left))
        self._left -= len(data)
        return data

    async def aclose(self) -> None:
        await self._stream.aclose()


class Connection:
    """One TCP connection: sends raw bytes, reads lines and counted bytes."""

    def __init__(self, stream: SocketStream) -> None:
        """Use `stream`; `aclose` closes it."""
        self._stream = stream
        self._reader = BufferedByteReceiveStream(stream)

    def read_slowly(self, pace: Callable[[], Awaitable[object]], count: int) -> None:
        """From now on, read at most `count` bytes each time that `pace` returns."""
        self._reader.receive_stream = _Paced(self._stream, pace, count)

    @property
    def peer(self) -> Address:
        """The address of the other side."""
        host, port = self._stream.extra(SocketAttribute.raw_socket).getpeername()[:2]
        return host, port

    async def send(self, data: bytes) -> None:
        """Send bytes unchanged."""
        await self._stream.send(data)

    async def read_exactly(self, count: int) -> bytes:
        """Read `count` bytes.

        Raises:
            anyio.IncompleteRead: the stream ended first.
        """
        return await self._reader.receive_exactly(count) if count else b""

    async def read_line(self, max_bytes: int = _MAX_CHUNK_LINE_BYTES) -> bytes:
        """Read up to the next CRLF, which is dropped."""
        return await self._reader.receive_until(b"\r\n", max_bytes)

    async def read_to_end(self) -> bytes:
        """Read until the server closes its side."""
        data = bytearray()
        while True:
            try:
                data += await self._reader.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return bytes(data)

    async def read_head(self) -> Answer:
        """Read status line and headers."""
        head = await self._reader.receive_until(b"\r\n\r\n", _MAX_HEAD_BYTES)
        status_line, *lines = head.decode("latin-1").split("\r\n")
        _, status, reason = (status_line + " ").split(" ", 2)
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return Answer(int(status), reason.strip(), headers)

    async def read_body(self, head: Answer, *, method: str = "GET") -> bytes:
        """Read the body that belongs to `head`: chunked, counted or up to the end."""
        if method == "HEAD" or head.status in {101, 204, 304}:
            return b""
        if head.header("Transfer-Encoding") == "chunked":
            return b"".join([chunk async for chunk in self.chunks()])
        length = head.header("Content-Length")
        return await self.read_exactly(int(length)) if length is not None else await self.read_to_end()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the chunks of a chunked body until the empty one."""
        while size := int((await self.read_line()).split(b";")[0], 16):
            yield await self.read_exactly(size)
            await self.read_line()
        await self.read_line()

    async def content(self, head: Answer) -> AsyncIterator[bytes]:
        """Yield the content of each chunk of the body that belongs to `head`, inflated if it is compressed.

        Each chunk must be readable when it has come, and the end of gzip must fit what came before.
        """
        inflater = zlib.decompressobj(31) if head.header("Content-Encoding") == "gzip" else None
        async for chunk in self.chunks():
            content = chunk if inflater is None else inflater.decompress(chunk)
            if content:
                yield content
        assert inflater is None or (inflater.eof and not inflater.unused_data)

    async def half_close(self) -> None:
        """Close the sending side (FIN); reading continues."""
        await self._stream.send_eof()

    async def reset(self) -> None:
        """Drop the connection like a crash: the other side gets RST instead of FIN."""
        raw = self._stream.extra(SocketAttribute.raw_socket)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection at once. Closing twice is allowed."""
        await anyio.aclose_forcefully(self._stream)


@asynccontextmanager
async def connect(
    address: Address, receive_buffer: int | None = None, source: str | None = None
) -> AsyncIterator[Connection]:
    """Open a connection until the block ends.

    Args:
        address: the address of the server.
        receive_buffer: bytes that the kernel buffers for this side (it doubles them). The other side's kernel then
            buffers little too. None: the default of the system.
        source: the address of this side, for example another one of the loopback device.
    """
    raw = socket.socket()
    raw.setblocking(False)
    if receive_buffer is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)  # before connecting, or it has no effect
        # Linux makes a sender's buffer about ten segments large, and a segment on the loopback device has 64 KiB.
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SMALL_SEGMENT)
    try:
        if source is not None:
            raw.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(raw, address)
        connection = Connection(await SocketStream.from_socket(raw))
    except ValueError as error:
        # anyio raises this for a connection that the server has already reset.
        raw.close()
        raise ConnectionResetError("the connection was reset as soon as it was made") from error
    except BaseException:
        raw.close()
        raise
    try:
        yield connection
    finally:
        await connection.aclose()


def request_bytes(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes = b"") -> bytes:
    """Return the bytes of a request; nothing is added to `headers`."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode() + body


async def exchange(
    address: Address,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: Iterable[tuple[str, str]] = (),
    source: str | None = None,
) -> Answer:
    """Make one call on its own connection and return the whole answer.

    The function sets `Host`, `Connection: close`, and with a body `Content-Length`; also a JSON content type unless
    given. `source` is that of `connect`.
    """
    sent = [("Host", f"{address[0]}:{address[1]}"), ("Connection", "close"), *headers]
    if body is not None:
        if not any(name.lower() == "content-type" for name, _ in sent):
            sent.append(("Content-Type", "application/json"))
        sent.append(("Content-Length", str(len(body))))
    async with connect(address, source=source) as connection:
        await connection.send(request_bytes(method, target, sent, body or b""))
        head = await connection.read_head()
        return Answer(head.status, head.reason, head.headers, await connection.read_body(head, method=method))
