"""The two raw exits of a board with one interface: each envelope with its cursor, in any delivery."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

import orjson

from tests.kit.raw_http import Address, Answer
from tests.kit.raw_socket import RawSocket, open_socket
from tests.kit.sse_reader import SseReader, open_stream
from tests.live.boards import BOARD

__all__ = ["RAW_EXITS", "OpeningRefused", "RawSubscriber", "Received", "open_board"]


class Received(NamedTuple):
    """An envelope as a client receives it."""

    type: str
    payload: Any
    cursor: str | None


class OpeningRefused(Exception):
    """The answer is no stream."""

    def __init__(self, answer: Answer) -> None:
        """Keep the answer."""
        super().__init__(answer)
        self.answer = answer


class RawSubscriber(Protocol):
    """A subscriber of a board."""

    async def envelope(self) -> Received:
        """Return the next envelope."""


class _Socket:
    def __init__(self, socket: RawSocket) -> None:
        self._socket = socket

    async def envelope(self) -> Received:
        frame = orjson.loads(await self._socket.receive_text())
        return Received(frame["type"], frame.get("payload"), frame.get("cursor"))


class _Stream:
    def __init__(self, stream: SseReader) -> None:
        self._stream = stream

    async def envelope(self) -> Received:
        # A comment is not an envelope.
        while (block := await self._stream.block()).startswith(":"):
            pass
        lines = dict(line.split(": ", 1) for line in block.split("\n") if line)
        return Received(lines["event"], orjson.loads(lines["data"]), lines.get("id"))


RAW_EXITS = ("board-ws", "board-sse")


@asynccontextmanager
async def open_board(address: Address, exit: str, **query: str) -> AsyncIterator[RawSubscriber]:
    """Read `BOARD` until the block ends; `query` is appended to its address."""
    asked = urlencode({"boardId": BOARD, **query})
    if exit == "board-ws":
        async with open_socket(address, f"/api/v1/ws?{asked}") as socket:
            if socket.response.status != 101:
                raise OpeningRefused(socket.response)
            yield _Socket(socket)
    else:
        async with open_stream(address, f"/api/v1/sse?{asked}") as stream:
            if stream.response.status != 200:
                raise OpeningRefused(stream.response)
            yield _Stream(stream)
