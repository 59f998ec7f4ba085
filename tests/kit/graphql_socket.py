"""A client of the GraphQL subprotocols that returns each message unchanged: one operation on its own connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import orjson

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address
from tests.kit.raw_socket import PING, TEXT, RawSocket, open_socket
from tests.kit.recordings import Json

__all__ = ["HANDSHAKE", "GraphqlSocket", "open_subscription"]

_ID = "the-only-one"
_WAIT_UNITS = 10
#: Headers of an upgrade, without the subprotocol.
HANDSHAKE = [
    ("Host", "127.0.0.1"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
]
#: Subprotocol → its message types for the start of an operation and for a result, and the message after the
#: acknowledgement.
_WORDS: dict[str, tuple[str, str, list[Json]]] = {
    "graphql-transport-ws": ("subscribe", "next", []),
    "graphql-ws": ("start", "data", [{"type": "ka"}]),
}


class GraphqlSocket:
    """A connection on which one operation runs; made by `open_subscription`."""

    def __init__(self, socket: RawSocket, subprotocol: str) -> None:
        self._socket = socket
        self._start, self._next, self._behind_ack = _WORDS[subprotocol]

    async def start(self, query: str, variables: Mapping[str, object]) -> None:
        """Initialise the connection and send the operation."""
        await self._socket.send_json({"type": "connection_init"})
        for expected in [{"type": "connection_ack"}, *self._behind_ack]:
            assert await self.message() == expected
        payload = {"query": query, "variables": dict(variables)}
        await self._socket.send_json({"id": _ID, "type": self._start, "payload": payload})

    async def message(self) -> Json:
        """Wait for the next message of any type."""
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
        assert message == {"id": _ID, "type": self._next, "payload": {"data": data}}, (
            f"expected a result, got {message}"
        )
        return data

    async def completed(self) -> None:
        """Wait for the end of the operation, which must come next."""
        message = await self.message()
        assert message == {"id": _ID, "type": "complete"}, f"expected the end, got {message}"


@asynccontextmanager
async def open_subscription(
    address: Address,
    query: str,
    variables: Mapping[str, object] | None = None,
    subprotocol: str = "graphql-transport-ws",
) -> AsyncIterator[GraphqlSocket]:
    """Subscribe until the block ends."""
    headers = [*HANDSHAKE, ("Sec-WebSocket-Protocol", subprotocol)]
    async with open_socket(address, "/graphql", headers) as raw:
        assert raw.response.header("Sec-WebSocket-Protocol") == subprotocol
        socket = GraphqlSocket(raw, subprotocol)
        await socket.start(query, variables or {})
        yield socket
