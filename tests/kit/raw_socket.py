"""A WebSocket client that sends exactly the given bytes, even those that RFC 6455 forbids.

It masks and fragments only on demand, and it answers neither ping nor close. The recordings contain unmasked,
fragmented and binary frames, and bytes sent together with the handshake.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

import anyio
import orjson

from tests.kit.raw_http import Address, Answer, Connection, connect, request_bytes

__all__ = [
    "BINARY",
    "CLOSE",
    "HANDSHAKE",
    "PING",
    "PONG",
    "TEXT",
    "Closed",
    "Frame",
    "RawSocket",
    "frame_bytes",
    "open_socket",
]

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA

#: The header of an ordinary handshake. Its key is that of RFC 6455, section 1.3, which has a known accept value.
HANDSHAKE = [
    ("Host", "127.0.0.1"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]


class Closed(Exception):
    """The server closed the TCP connection without a close frame."""


@dataclass(frozen=True)
class Frame:
    """One frame, unchanged."""

    opcode: int
    payload: bytes
    #: The bit RSV1: the payload is compressed (RFC 7692).
    is_deflated: bool = False

    @property
    def text(self) -> str:
        """The text of a text frame, inflated if it is compressed."""
        assert self.opcode == TEXT, f"expected a text frame, got {self}"
        if self.is_deflated:
            return zlib.decompress(self.payload + b"\x00\x00\xff\xff\x03\x00", -15).decode()
        return self.payload.decode()

    @property
    def close(self) -> tuple[int, str]:
        """Code and reason of a close frame; 1005 if it has none (RFC 6455, section 7.1.5)."""
        assert self.opcode == CLOSE, f"expected a close frame, got {self}"
        if not self.payload:
            return (1005, "")
        return (int.from_bytes(self.payload[:2], "big"), self.payload[2:].decode())


def frame_bytes(opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True, rsv1: bool = False) -> bytes:
    """Return one client frame (RFC 6455, section 5.2); `rsv1` says that the message is compressed (RFC 7692)."""
    size = len(payload)
    mask_bit = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | (0x40 if rsv1 else 0) | opcode])
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 1 << 16:
        head += bytes([mask_bit | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([mask_bit | 127]) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    mask = os.urandom(4)
    repeated = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return head + mask + (int.from_bytes(payload, "big") ^ repeated).to_bytes(size, "big")


class RawSocket:
    """An upgraded (or refused) connection. `response` is the server's answer to the handshake."""

    def __init__(self, connection: Connection, response: Answer) -> None:
        """Use `connection`, on which `response` was read."""
        self.connection = connection
        self.response = response

    @classmethod
    async def handshake(
        cls, connection: Connection, target: str, headers: Iterable[tuple[str, str]] | None = None, after: bytes = b""
    ) -> Self:
        """Send the handshake and, in the same segment, `after`; read the answer, with its body if it is a refusal.

        `headers` None means an ordinary upgrade.
        """
        if headers is None:
            headers = HANDSHAKE
        await connection.send(request_bytes("GET", target, headers) + after)
        head = await connection.read_head()
        body = await connection.read_body(head)
        return cls(connection, Answer(head.status, head.reason, head.headers, body))

    async def send_frame(self, opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True) -> None:
        """Send one frame of any kind."""
        await self.connection.send(frame_bytes(opcode, payload, fin=fin, masked=masked))

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes that are already framed."""
        await self.connection.send(data)

    async def send_text(self, text: str) -> None:
        """Send one text frame."""
        await self.send_frame(TEXT, text.encode())

    async def send_json(self, message: object) -> None:
        """Send one text frame with `message` as JSON."""
        await self.send_frame(TEXT, orjson.dumps(message))

    async def send_close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame; the echo arrives as a frame."""
        await self.send_frame(CLOSE, code.to_bytes(2, "big") + reason.encode())

    async def receive(self) -> Frame:
        """Read the next frame of any kind.

        Raises:
            Closed: the connection ended instead.
        """
        try:
            first, second = await self.connection.read_exactly(2)
            assert first & 0x80, "the server never fragments"
            assert not second & 0x80, "the server never masks"
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(await self.connection.read_exactly(2 if size == 126 else 8), "big")
            return Frame(first & 0x0F, await self.connection.read_exactly(size), bool(first & 0x40))
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError) as error:
            raise Closed from error

    async def receive_text(self) -> str:
        """Read the next frame, which must be text."""
        return (await self.receive()).text

    async def close(self, code: int = 1000, reason: str = "") -> tuple[int, str]:
        """Close; return code and reason of the server's echo. Earlier frames are dropped."""
        await self.send_close(code, reason)
        while (frame := await self.receive()).opcode != CLOSE:
            pass
        return frame.close


@asynccontextmanager
async def open_socket(
    address: Address, target: str, headers: Iterable[tuple[str, str]] | None = None, after: bytes = b""
) -> AsyncIterator[RawSocket]:
    """Open a socket until the block ends. The TCP connection then ends without a close frame."""
    async with connect(address) as connection:
        yield await RawSocket.handshake(connection, target, headers, after)
