"""A GraphQL WebSocket that has several subscriptions at once, and takes new tokens."""

from __future__ import annotations

from collections import defaultdict, deque
from contextlib import AsyncExitStack

import orjson

from tests.equivalence.document import selection
from tests.equivalence.graphql_subscribers import GraphqlSubscriber
from tests.equivalence.mapping import Json
from tests.equivalence.subscriber import Ended
from tests.kit.raw_http import Address, Connection
from tests.kit.raw_socket import CLOSE, HANDSHAKE, PING, PONG, RawSocket, open_socket

__all__ = ["NEWER", "OLDER", "LookingUp", "SharedSocket", "SharedSubscription"]

NEWER, OLDER = "graphql-transport-ws", "graphql-ws"
#: Types of the messages that start and stop an operation.
_WORDS = {NEWER: ("subscribe", "complete"), OLDER: ("start", "stop")}
_RESULTS, _ALIVE = ("next", "data"), ("ping", "ka")
_AUTHENTICATE = "mutation ($token: String!) { authenticate(token: $token) { expiresAt } }"


class SharedSocket:
    """One connection. It keeps the messages of each operation until they are read."""

    def __init__(self, address: Address, subprotocol: str) -> None:
        """Make a client of the server at `address`."""
        self.address = address
        self.subprotocol = subprotocol
        self._stack = AsyncExitStack()
        self._waiting: dict[str | None, deque[Json]] = defaultdict(deque)
        self._closed: Ended | None = None
        self._numbers = 0
        self._authenticating: str | None = None
        self.socket: RawSocket

    async def open(self) -> None:
        """Connect."""
        headers = [*HANDSHAKE, ("Sec-WebSocket-Protocol", self.subprotocol)]
        self.socket = await self._stack.enter_async_context(open_socket(self.address, "/graphql", headers))
        await self.socket.send_json({"type": "connection_init"})
        acknowledged = await self.message(None)
        assert acknowledged == {"type": "connection_ack"}, acknowledged

    async def start(self, request: Json) -> str:
        """Start an operation and return its id."""
        self._numbers += 1
        id = f"op-{self._numbers}"
        await self.socket.send_json({"id": id, "type": _WORDS[self.subprotocol][0], "payload": request})
        return id

    async def stop(self, id: str) -> None:
        """Stop an operation. Nobody reads the messages that are on their way."""
        if self._closed is None:
            await self.socket.send_json({"id": id, "type": _WORDS[self.subprotocol][1]})

    async def send_token(self, token: str) -> None:
        """Send a new token: each second time by a `ping`, if the subprotocol has it, else by the mutation."""
        if self.subprotocol == NEWER and self._numbers % 2:
            self._authenticating = None
            await self.socket.send_json({"type": "ping", "payload": {"token": token}})
        else:
            self._authenticating = await self.start({"query": _AUTHENTICATE, "variables": {"token": token}})

    async def accepted(self, end: str | None) -> None:
        """Read the answer to the token, which must say that it was taken, and when it expires."""
        answer = await self.message(self._authenticating)
        if self._authenticating is None:
            assert answer == {"type": "pong", "payload": {"expiresAt": end}}, answer
            return
        assert answer["payload"] == {"data": {"authenticate": {"expiresAt": end}}}, answer
        assert (await self.message(self._authenticating))["type"] == "complete"

    async def message(self, id: str | None) -> Json:
        """Return the next message of an operation, or (None) of the connection.

        Raises:
            Ended: the connection was closed.
        """
        while not self._waiting[id]:
            if self._closed is not None:
                raise Ended(*self._closed.args)
            await self._read()
        return self._waiting[id].popleft()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._stack.aclose()

    async def _read(self) -> None:
        frame = await self.socket.receive()
        if frame.opcode == PING:
            await self.socket.send_frame(PONG, frame.payload)
        elif frame.opcode == CLOSE:
            self._closed = Ended(frame.close)
        else:
            message: Json = orjson.loads(frame.payload)
            if message["type"] not in _ALIVE:
                self._waiting[message.get("id")].append(message)


class SharedSubscription(GraphqlSubscriber):
    """A subscription on a shared connection, which it does not close."""

    def __init__(self, shared: SharedSocket, board_id: str = "", document: str = "") -> None:
        """Make a subscription on `shared`."""
        super().__init__(shared.address, board_id, document)
        self.exit = f"{shared.subprotocol}, one of several subscriptions"  # type: ignore[misc]  # it says which
        self._shared = shared
        self._id: str | None = None

    @property
    def connection(self) -> Connection:
        return self._shared.socket.connection

    async def open(self, after: str | None = None) -> None:
        self._id = await self._shared.start(self.request(after))

    async def event(self) -> Json:
        message = await self._shared.message(self._id)
        if message["type"] not in _RESULTS:
            self._id = None
            raise Ended(message.get("payload"))
        return self.event_of(message["payload"])

    async def end(self) -> None:
        message = await self._shared.message(self._id)
        self._id = None
        assert message["type"] == "complete", f"{self.exit}: expected the end, got {message}"

    async def aclose(self) -> None:
        if self._id is not None:
            await self._shared.stop(self._id)
            self._id = None


class LookingUp(SharedSubscription):
    """A subscription that also reads the project of each state from the rows, so that graphql-core executes it."""

    def __init__(self, shared: SharedSocket, board_id: str) -> None:
        """Make a subscription on `shared`."""
        super().__init__(shared, board_id)
        state = selection("BoardState")
        assert state in self.document
        self.document = self.document.replace(state, f"{{ project {{ projectId }} {state[1:]}")

    def event_of(self, result: Json) -> Json:  # type: ignore[override]  # each result is a dict
        event = super().event_of(result)
        if "state" in event:
            project = event["state"].pop("project")
            assert project in (None, {"projectId": self.board_id}), project  # None: it was deleted since
        return event
