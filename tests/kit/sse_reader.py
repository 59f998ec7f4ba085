"""An event stream over a plain TCP connection: the raw text of each block, after the chunked coding.

httpx would hide the chunks, and an EventSource would hide the lines.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import anyio
import orjson

from tests.kit.raw_http import Address, Answer, Connection, connect, request_bytes

__all__ = ["SseReader", "StreamEnded", "open_stream"]


class StreamEnded(Exception):
    """The server ended the stream."""


class SseReader:
    """One answer of an SSE address. `response.body` is already read if the answer is not a stream."""

    def __init__(self, connection: Connection, response: Answer) -> None:
        """Use `connection`, on which the head of `response` was read."""
        self.connection = connection
        self.response = response
        self._chunks = connection.content(response)
        self._pending = ""
        #: The last `retry` value in milliseconds, which an EventSource would remember.
        self.retry_ms: int | None = None

    @property
    def is_stream(self) -> bool:
        """Whether the answer is an event stream."""
        return (self.response.header("Content-Type") or "").startswith("text/event-stream")

    async def block(self) -> str:
        """Return the next block with the empty line that ends it.

        Raises:
            StreamEnded: there is none any more.
        """
        while "\n\n" not in self._pending:
            try:
                self._pending += (await anext(self._chunks)).decode()
            except (StopAsyncIteration, anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError) as error:
                raise StreamEnded(self._pending) from error
        block, _, self._pending = self._pending.partition("\n\n")
        for line in block.split("\n"):
            if line.startswith("retry: "):
                self.retry_ms = int(line.removeprefix("retry: "))
        return block + "\n\n"

    async def event(self) -> tuple[str, object]:
        """Return type and parsed data of the next block."""
        lines = dict(line.split(": ", 1) for line in (await self.block()).split("\n") if line)
        return lines["event"], orjson.loads(lines["data"])

    async def aclose(self) -> None:
        """Close the connection."""
        await self.connection.aclose()


@asynccontextmanager
async def open_stream(
    address: Address, target: str, headers: Iterable[tuple[str, str]] = (), method: str = "GET"
) -> AsyncIterator[SseReader]:
    """Open an event stream until the block ends."""
    sent = [("Host", f"{address[0]}:{address[1]}"), *headers]
    async with connect(address) as connection:
        await connection.send(request_bytes(method, target, sent))
        head = await connection.read_head()
        is_stream = head.status == 200 and method == "GET"
        body = b"" if is_stream else await connection.read_body(head, method=method)
        yield SseReader(connection, Answer(head.status, head.reason, head.headers, body))
