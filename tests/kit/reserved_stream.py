"""A client of graphql-sse's single connection mode: one stream, and separate requests about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import orjson

from tests.kit.deadline import deadline
from tests.kit.graphql_stream import Block, GraphqlStream
from tests.kit.raw_http import Address, Answer, Connection, connect, exchange, request_bytes
from tests.kit.sse_reader import SseReader

__all__ = ["ADDRESS", "TOKEN", "ReservedStream", "open_reserved_stream", "reserve"]

ADDRESS = "/graphql/stream"
TOKEN = "X-GraphQL-Event-Stream-Token"
_WAIT_UNITS = 10


async def reserve(address: Address, source: str | None = None) -> ReservedStream:
    """Make a reservation, from the address `source` if there is one."""
    answer = await exchange(address, "PUT", ADDRESS, source=source)
    assert (answer.status, answer.header("Content-Type")) == (201, "text/plain; charset=utf-8"), answer
    return ReservedStream(address, answer.body.decode(), source)


class ReservedStream:
    """A reservation, and its stream once that is open."""

    def __init__(self, address: Address, token: str, source: str | None = None) -> None:
        self.address = address
        self.token = token
        self.source = source

    async def ask(self, method: str, target: str = ADDRESS, body: object = None, **headers: str) -> Answer:
        """Make a request with the token."""
        sent = None if body is None else orjson.dumps(body)
        named = [(TOKEN, self.token), *((name.replace("_", "-"), value) for name, value in headers.items())]
        async with deadline(_WAIT_UNITS):
            return await exchange(self.address, method, target, sent, named, self.source)

    async def begin(self, id: str, query: str, variables: Mapping[str, object] | None = None) -> Answer:
        """Request an operation."""
        body = {"query": query, "variables": dict(variables or {}), "extensions": {"operationId": id}}
        return await self.ask("POST", body=body)

    async def stop(self, id: str) -> Answer:
        """Stop an operation."""
        return await self.ask("DELETE", f"{ADDRESS}?operationId={quote(id)}")

    async def open_on(self, connection: Connection, *more: tuple[str, str], target: str = ADDRESS) -> None:
        """Open the stream, with additional headers."""
        headers = [("Host", "127.0.0.1"), ("Accept", "text/event-stream"), (TOKEN, self.token), *more]
        await connection.send(request_bytes("GET", target, headers))
        async with deadline(_WAIT_UNITS):
            head = await connection.read_head()
        assert (head.status, head.header("Content-Type")) == (200, "text/event-stream"), head
        self.stream = GraphqlStream(SseReader(connection, head))

    async def result(self) -> tuple[str, Any]:
        """Return id and payload of the next block, which must be a result."""
        data = (await self.stream.block()).json()
        assert set(data) == {"id", "payload"}
        return data["id"], data["payload"]

    async def completed(self, id: str) -> None:
        """Require the end of an operation next."""
        assert await self.stream.block() == Block("complete", orjson.dumps({"id": id}).decode())


@asynccontextmanager
async def open_reserved_stream(address: Address, source: str | None = None) -> AsyncIterator[ReservedStream]:
    """Reserve and open a stream until the block ends."""
    reserved = await reserve(address, source)
    async with connect(address, source=source) as connection:
        await reserved.open_on(connection)
        yield reserved
