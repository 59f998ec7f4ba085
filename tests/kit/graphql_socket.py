"""A client of graphql-transport-ws that shows each message as it came, for one operation on a connection of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import orjson

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address
from tests.kit.raw_socket import PING, TEXT, RawSocket, open_socket
from tests.kit.recordings import Json

__all__ = ["GraphqlSocket", "open_subscription"]

_ID = "the-only-one"
_WAIT_UNITS = 10
_HANDSHAKE = [
    ("Host", "127.0.0.1"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Protocol", "graphql-transport-ws"),
]


class GraphqlSocket:
    """A connection on which one operation runs; made by `open_subscription`."""

    def __init__(self, socket: RawSocket) -> None:
        self._socket = socket

    async def start(self, query: str, variables: Mapping[str, object]) -> None:
        """Initialise the connection and send the operation."""
        await self._socket.send_json({"type": "connection_init"})
        assert await self.message() == {"type": "connection_ack"}
        payload = {"query": query, "variables": dict(variables)}
        await self._socket.send_json({"id": _ID, "type": "subscribe", "payload": payload})

    async def message(self) -> Json:
        """Wait for the next message, of whatever type."""
        async with deadline(_WAIT_UNITS):
            while (frame := await self._socket.receive()).opcode == PING:
                pass
        assert frame.opcode == TEXT, f"expected a message, got {frame}"
        message: Json = orjson.loads(frame.text)
        return message

    async def data(self) -> Json:
        """Wait for the next result, which must have no errors, and return its data."""
        message = await self.message()
        data: Json = message.get("payload", {}).get("data")
        assert message == {"id": _ID, "type": "next", "payload": {"data": data}}, f"expected a result, got {message}"
        return data

    async def completed(self) -> None:
        """Wait for the end of the operation, which must come next."""
        message = await self.message()
        assert message == {"id": _ID, "type": "complete"}, f"expected the end, got {message}"


@asynccontextmanager
async def open_subscription(
    address: Address, query: str, variables: Mapping[str, object] | None = None
) -> AsyncIterator[GraphqlSocket]:
    """Subscribe for the length of the block."""
    async with open_socket(address, "/graphql", _HANDSHAKE) as raw:
        assert raw.response.header("Sec-WebSocket-Protocol") == "graphql-transport-ws"
        socket = GraphqlSocket(raw)
        await socket.start(query, variables or {})
        yield socket
