"""A client of graphql-sse that returns each block unchanged: one operation on its own connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address, Answer, connect, request_bytes
from tests.kit.recordings import Json
from tests.kit.sse_reader import SseReader, StreamEnded

__all__ = ["Block", "GraphqlStream", "open_graphql_stream", "operation_request"]

_WAIT_UNITS = 10


@dataclass(frozen=True)
class Block:
    """One block. A block of comments has no event."""

    event: str | None
    data: str | None
    id: str | None = None
    retry: str | None = None

    def json(self) -> Json:
        """Return the data of a `next`, parsed."""
        assert self.event == "next", f"expected a result, got {self}"
        parsed: Json = orjson.loads(self.data or "")
        return parsed


class GraphqlStream:
    """Reads a stream block by block."""

    def __init__(self, reader: SseReader) -> None:
        self.reader = reader

    @property
    def response(self) -> Answer:
        """The answer's head; with its body if the answer is not a stream."""
        return self.reader.response

    async def any_block(self) -> Block:
        """Return the next block, even if it is a comment.

        Raises:
            StreamEnded: there is none any more.
        """
        async with deadline(_WAIT_UNITS):
            text = await self.reader.block()
        pairs = (line.partition(":") for line in text.split("\n") if line)
        fields = {name: value.removeprefix(" ") for name, _, value in pairs}
        return Block(fields.get("event"), fields.get("data"), fields.get("id"), fields.get("retry"))

    async def block(self) -> Block:
        """Return the next block that is more than a comment."""
        while (block := await self.any_block()).event is None:
            pass
        return block

    async def result(self) -> Any:
        """Return the next result."""
        return (await self.block()).json()

    async def completed(self) -> None:
        """Require `complete` with empty data, and then the end of the answer."""
        assert await self.block() == Block("complete", "")
        with pytest.raises(StreamEnded) as ended:
            await self.block()
        assert ended.value.args == ("",)


def operation_request(
    query: str,
    variables: Mapping[str, object] | None = None,
    method: str = "POST",
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """Return the bytes of a request for a stream."""
    sent = [("Host", "127.0.0.1"), ("Accept", "text/event-stream"), *headers]
    if method == "GET":
        parameters = urlencode({"query": query, "variables": orjson.dumps(dict(variables or {})).decode()})
        return request_bytes("GET", f"/graphql?{parameters}", sent)
    body = orjson.dumps({"query": query, "variables": dict(variables or {})})
    sent += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    return request_bytes(method, "/graphql", sent, body)


@asynccontextmanager
async def open_graphql_stream(
    address: Address,
    query: str,
    variables: Mapping[str, object] | None = None,
    method: str = "POST",
    headers: Iterable[tuple[str, str]] = (),
) -> AsyncIterator[GraphqlStream]:
    """Run one operation until the block ends."""
    async with connect(address) as connection:
        await connection.send(operation_request(query, variables, method, headers))
        async with deadline(_WAIT_UNITS):
            head = await connection.read_head()
            is_stream = (head.header("Content-Type") or "").startswith("text/event-stream")
            body = b"" if is_stream else await connection.read_body(head, method=method)
        yield GraphqlStream(SseReader(connection, Answer(head.status, head.reason, head.headers, body)))
