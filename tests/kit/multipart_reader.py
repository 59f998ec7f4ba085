"""Apollo's multipart subscriptions over a plain TCP connection: each part unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import anyio
import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, Answer, Connection, connect, request_bytes
from tests.kit.recordings import Json
from tests.kit.sse_reader import StreamEnded

__all__ = ["ACCEPT", "MultipartReader", "open_multipart"]

#: The headers that Apollo Client sends with a subscription.
ACCEPT = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
_BOUNDARY = b"\r\n--graphql"
_WAIT_UNITS = 10


class MultipartReader:
    """One answer. `response.body` is already read if the answer is not a stream."""

    def __init__(self, connection: Connection, response: Answer) -> None:
        self.connection = connection
        self.response = response
        self._chunks = connection.content(response)
        self._pending = b""
        self._has_begun = False

    async def any_part(self) -> Json:
        """Return the next part, which is complete when the boundary after it has arrived. Heartbeats are `{}`.

        Raises:
            StreamEnded: there is none any more; with the bytes after the last boundary.
        """
        if not self._has_begun:
            assert await self._until_boundary() == b""
            self._has_begun = True
        head, _, body = (await self._until_boundary()).partition(b"\r\n\r\n")
        assert head == b"\r\ncontent-type: application/json\r\ncontent-length: %d" % len(body)
        part: Json = orjson.loads(body)
        return part

    async def part(self) -> Json:
        """Return the next part that is not a heartbeat."""
        async with deadline(_WAIT_UNITS):
            while not (part := await self.any_part()):
                pass
        return part

    async def completed(self) -> None:
        """Require that the last boundary was the closing one, and that nothing follows."""
        with pytest.raises(StreamEnded) as ended:
            await self.part()
        assert ended.value.args == (b"--\r\n",)

    async def _until_boundary(self) -> bytes:
        while _BOUNDARY not in self._pending:
            try:
                self._pending += await anext(self._chunks)
            except (StopAsyncIteration, anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError) as error:
                raise StreamEnded(self._pending) from error
        found, _, self._pending = self._pending.partition(_BOUNDARY)
        return found


@asynccontextmanager
async def open_multipart(
    address: Address,
    query: str,
    variables: Mapping[str, object] | None = None,
    headers: Iterable[tuple[str, str]] = (("Accept", ACCEPT),),
) -> AsyncIterator[MultipartReader]:
    """Run one operation until the block ends."""
    body = orjson.dumps({"query": query, "variables": dict(variables or {})})
    sent = [("Host", "127.0.0.1"), ("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers]
    async with connect(address) as connection:
        await connection.send(request_bytes("POST", "/graphql", sent, body))
        async with deadline(_WAIT_UNITS):
            head = await connection.read_head()
            is_stream = (head.header("Content-Type") or "").startswith("multipart/mixed")
            answer = b"" if is_stream else await connection.read_body(head)
        yield MultipartReader(connection, Answer(head.status, head.reason, head.headers, answer))
