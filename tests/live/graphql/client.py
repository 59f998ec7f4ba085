"""A client of the GraphQL subprotocols that sends any message, and returns each frame unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import orjson

from tests.kit.deadline import deadline
from tests.kit.raw_http import Address
from tests.kit.raw_socket import BINARY, PING, TEXT, Frame, RawSocket, frame_bytes, open_socket
from tests.kit.recordings import Json

__all__ = ["ACK", "INIT", "OLDER", "Client", "connected", "open_client", "subscribe_message"]

#: The subprotocol of subscriptions-transport-ws.
OLDER = "graphql-ws"

INIT: Json = {"type": "connection_init"}
ACK: Json = {"type": "connection_ack"}
_WAIT_UNITS = 10


class Client:
    """One connection."""

    def __init__(self, socket: RawSocket) -> None:
        self.socket = socket

    async def send(self, *messages: object) -> None:
        """Send messages in one segment, so that the server has all of them before it handles the first."""
        await self.socket.send_bytes(b"".join(frame_bytes(TEXT, orjson.dumps(one)) for one in messages))

    async def send_binary(self, message: object) -> None:
        """Send a message in a binary frame."""
        await self.socket.send_frame(BINARY, orjson.dumps(message))

    async def message(self) -> Json:
        """Return the next message."""
        message: Json = orjson.loads((await self._frame()).text)
        return message

    async def expect(self, *messages: object) -> None:
        """Require that exactly these messages come next."""
        for expected in messages:
            assert await self.message() == expected

    async def expect_nothing(self) -> None:
        """Require that no message is on its way: the answer to a ping must come next."""
        await self.send({"type": "ping", "payload": {"marker": 1}})
        await self.expect({"type": "pong", "payload": {"marker": 1}})

    async def closed(self) -> tuple[int, str]:
        """Return code and reason of the close frame, which must come next."""
        return (await self._frame()).close

    async def _frame(self) -> Frame:
        async with deadline(_WAIT_UNITS):
            while (frame := await self.socket.receive()).opcode == PING:
                pass
        return frame


def subscribe_message(id: object, query: object, **payload: object) -> Json:
    """Return the message that starts an operation."""
    return {"id": id, "type": "subscribe", "payload": {"query": query, **payload}}


@asynccontextmanager
async def open_client(
    address: Address,
    subprotocol: str | None = "graphql-transport-ws",
    *,
    target: str = "/graphql",
    headers: Iterable[tuple[str, str]] = (),
) -> AsyncIterator[Client]:
    """Connect until the block ends, and send nothing."""
    sent = [
        ("Host", "127.0.0.1"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", "13"),
        *([("Sec-WebSocket-Protocol", subprotocol)] if subprotocol else []),
        *headers,
    ]
    async with open_socket(address, target, sent) as socket:
        assert socket.response.status == 101
        yield Client(socket)


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[Client]:
    """Connect and initialise until the block ends."""
    async with open_client(address) as client:
        await client.send(INIT)
        await client.expect(ACK)
        yield client
