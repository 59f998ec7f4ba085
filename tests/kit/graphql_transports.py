"""One subscription over any transport of GraphQL, with one interface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from tests.kit.graphql_socket import open_subscription
from tests.kit.graphql_stream import GraphqlStream, open_graphql_stream
from tests.kit.multipart_reader import MultipartReader, open_multipart
from tests.kit.raw_http import Address
from tests.kit.recordings import Json
from tests.kit.reserved_stream import ReservedStream, open_reserved_stream

__all__ = ["SUBPROTOCOLS", "TRANSPORTS", "Subscription", "subscribe"]

SUBPROTOCOLS = ("graphql-transport-ws", "graphql-ws")
#: Every transport that has subscriptions.
TRANSPORTS = (*SUBPROTOCOLS, "sse", "sse-single", "multipart")


class Subscription(Protocol):
    """An open subscription."""

    async def data(self) -> Json:
        """Wait for the next result, which must have no errors, and return its data."""

    async def completed(self) -> None:
        """Wait for the end of the operation, which must come next."""


class _Stream:
    def __init__(self, stream: GraphqlStream) -> None:
        self._stream = stream

    async def data(self) -> Json:
        return _data(await self._stream.result())

    async def completed(self) -> None:
        await self._stream.completed()


class _Reserved:
    def __init__(self, reserved: ReservedStream) -> None:
        self._reserved = reserved

    async def data(self) -> Json:
        id, payload = await self._reserved.result()
        assert id == "1"
        return _data(payload)

    async def completed(self) -> None:
        await self._reserved.completed("1")


class _Multipart:
    def __init__(self, reader: MultipartReader) -> None:
        self._reader = reader

    async def data(self) -> Json:
        part = await self._reader.part()
        assert set(part) == {"payload"}, f"expected a result, got {part}"
        return _data(part["payload"])

    async def completed(self) -> None:
        await self._reader.completed()


def _data(result: Json) -> Json:
    assert set(result) == {"data"}, f"expected a result, got {result}"
    data: Json = result["data"]
    return data


@asynccontextmanager
async def _sse(address: Address, query: str, variables: Mapping[str, object] | None) -> AsyncIterator[Subscription]:
    async with open_graphql_stream(address, query, variables) as stream:
        yield _Stream(stream)


@asynccontextmanager
async def _single(address: Address, query: str, variables: Mapping[str, object] | None) -> AsyncIterator[Subscription]:
    async with open_reserved_stream(address) as reserved:
        assert (await reserved.begin("1", query, variables)).status == 202
        yield _Reserved(reserved)


@asynccontextmanager
async def _parts(address: Address, query: str, variables: Mapping[str, object] | None) -> AsyncIterator[Subscription]:
    async with open_multipart(address, query, variables) as reader:
        yield _Multipart(reader)


_HTTP = {"sse": _sse, "sse-single": _single, "multipart": _parts}


def subscribe(
    transport: str, address: Address, query: str, variables: Mapping[str, object] | None = None
) -> AbstractAsyncContextManager[Subscription]:
    """Subscribe until the block ends."""
    if transport in SUBPROTOCOLS:
        return open_subscription(address, query, variables, transport)
    return _HTTP[transport](address, query, variables)
