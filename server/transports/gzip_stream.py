"""Compresses the body of a streamed answer (SSE, multipart) in pieces, which many streams share.

The stream and its direct writer write to one body, so both write through its `GzipStream`. Each piece is counted when
it is written, with nothing in between: the end of the body has its checksum.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, MutableMapping
from functools import partial
from typing import Any

from starlette.types import Message, Send

from server.concurrency.worker_thread import compressing
from server.connection.connections import extend, write_chunk, writer
from server.protocol.deflate import QUICK_BYTES
from server.protocol.http.codings import accept_encoding, least_bytes
from server.protocol.http.framing import chunk
from server.protocol.http.gzip_pieces import HEAD, GzipBody, Piece
from server.settings import Settings

__all__ = ["GzipStream", "Secret", "gzip_stream"]

_KEY = "boardcast.gzip"


class Secret(bytes):
    """Bytes of a stream that are not compressed, because they hold a secret."""


class GzipStream:
    """The body of one answer."""

    __slots__ = ("_body", "_next", "_scope", "_write")

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        """Write to the connection of `scope`, which has a direct writer."""
        self._scope = scope
        self._write = writer(scope)
        self._body = GzipBody()
        #: The piece that the stream has yielded and that is sent next.
        self._next: Piece | None = None

    def write_nowait(self, piece: Piece) -> bool:
        """Write `piece` if that is possible without waiting; False = nothing was written."""
        if self._write is None or not self._write(piece.chunk):
            return False
        self._body.add(piece)
        return True

    async def pieces(self, chunks: AsyncGenerator[bytes | Piece, None]) -> AsyncGenerator[bytes, None]:
        """Yield the compressed bytes of each of `chunks`, for `send`."""
        async for data in chunks:
            self._next = await _piece_of(data)
            yield self._next.packed
            del data

    async def send(self, send: Send, message: Message) -> None:
        """Send the next message of the answer; `send` takes those that are not compressed."""
        if self._scope["method"] == "HEAD":
            await send(message)
        elif message["type"] == "http.response.start":
            await send(message)
            await write_chunk(self._scope, chunk(HEAD))
        else:
            await self._send_body(message.get("body", b""))
            if not message.get("more_body", False):
                await write_chunk(self._scope, chunk(self._body.end()))
                await send({"type": "http.response.body", "body": b""})

    async def _send_body(self, body: bytes) -> None:
        piece, self._next = self._next, None
        if piece is None or body is not piece.packed:
            # A sign of life, which comes between two pieces. It is short, and is not held back.
            piece, self._next = Piece.plain(body), piece
        if body and await write_chunk(self._scope, piece.chunk):
            self._body.add(piece)


def gzip_stream(scope: MutableMapping[str, Any]) -> GzipStream | None:
    """Return the compressed body of the answer to the request of `scope`; None = it is not compressed.

    All callers get the same object.
    """
    found: GzipStream | None = scope.get("extensions", {}).get(_KEY)
    settings: Settings = scope["app"].state.settings
    if found is not None or not settings.compression or writer(scope) is None or scope["http_version"] == "1.0":
        return found
    if least_bytes(accept_encoding(scope["headers"])) is None:
        return None
    extend(scope, {_KEY: (made := GzipStream(scope))})
    return made


async def _piece_of(data: bytes | Piece) -> Piece:
    if isinstance(data, Piece):
        return data
    if isinstance(data, Secret):
        return Piece.plain(data)
    return Piece.of(data) if len(data) <= QUICK_BYTES else await compressing(partial(Piece.of, data))
