"""Clients of `boardEvents` (or another subscription) over each transport of GraphQL.

A client leaves by cutting its connection. The transports' own tests cover all other ways to leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import anyio
import orjson

from tests.equivalence.document import sdl, selection
from tests.equivalence.mapping import Json
from tests.equivalence.subscriber import Ended, Subscriber
from tests.kit.raw_http import Address, Connection, connect, exchange, request_bytes
from tests.kit.raw_socket import CLOSE, PING, PONG, RawSocket, open_socket
from tests.kit.sse_reader import SseReader, StreamEnded, open_stream

__all__ = [
    "DASHBOARD_EVENTS",
    "BoardStateSubscriber",
    "GraphqlDistinctStream",
    "GraphqlMultipart",
    "GraphqlSingleStream",
    "GraphqlSocket",
    "GraphqlSubscriber",
    "OlderGraphqlSocket",
    "has_field",
]

_ID = "the-only-one"


def has_field(name: str, argument: str | None = None) -> bool:
    """Return whether the schema has that subscription, and that argument of it."""
    subscription = sdl().subscription_type
    field = subscription.fields.get(name) if subscription else None
    return field is not None and (argument is None or argument in field.args)


def board_document(name: str, type_name: str) -> str:
    """Return a subscription of a board that selects everything."""
    after = (", $after: String", ", after: $after") if has_field(name, "after") else ("", "")
    return (
        f"subscription Full($boardId: ID!{after[0]}) {{ {name}(boardId: $boardId{after[1]}) {selection(type_name)} }}"
    )


#: Of an overview, only its time is selected, which is unique. GraphQL's shape of it has its own tests.
DASHBOARD_EVENTS = (
    "subscription { dashboardEvents { __typename ... on Overview { cursor overview { generatedAt } } "
    "... on AgentRegistered { cursor agentKey label } "
    "... on AgentProfileChanged { cursor kind profileId agentKey label } ... on Goodbye { reason } "
    "... on Access { expiresAt } } }"
)


class GraphqlSubscriber(Subscriber):
    """A client of the subscription `document`, with the board as its variable."""

    def __init__(self, address: Address, board_id: str = "", document: str = "") -> None:
        super().__init__(address, board_id)
        self.document = document or board_document("boardEvents", "BoardEvent")

    def request(self, after: str | None, **extensions: str) -> Json:
        """Return the parameters of the operation."""
        variables = {"boardId": self.board_id} if self.board_id else {}
        if after is not None:
            variables["after"] = after
        return {"query": self.document, "variables": variables, "extensions": extensions}

    def event_of(self, result: Mapping[str, Any]) -> Json:
        """Return the event in a result, which must have no errors."""
        if result.get("errors"):
            raise Ended(result["errors"])
        data: Json = result["data"]
        (event,) = data.values()
        found: Json = event
        return found


class _Words(NamedTuple):
    """The message types in which the two subprotocols differ."""

    subprotocol: str
    start: str
    result: str
    alive: str


class _GraphqlSocket(GraphqlSubscriber):
    words: ClassVar[_Words]
    socket: RawSocket

    @property
    def connection(self) -> Connection:
        return self.socket.connection

    async def open(self, after: str | None = None) -> None:
        headers = [
            ("Host", "127.0.0.1"),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Protocol", self.words.subprotocol),
        ]
        self.socket = await self.stack.enter_async_context(open_socket(self.address, "/graphql", headers))
        await self.socket.send_json({"type": "connection_init", "payload": {}})
        acknowledged = await self._message()
        assert acknowledged == {"type": "connection_ack"}, acknowledged
        await self.socket.send_json({"id": _ID, "type": self.words.start, "payload": self.request(after)})

    async def _message(self) -> Json:
        while True:
            frame = await self.socket.receive()
            if frame.opcode == PING:
                await self.socket.send_frame(PONG, frame.payload)
                continue
            if frame.opcode == CLOSE:
                raise Ended(frame.close)
            message: Json = orjson.loads(frame.payload)
            if message["type"] != self.words.alive:
                return message

    async def event(self) -> Json:
        message = await self._message()
        if message["type"] != self.words.result:
            raise Ended(message)
        assert message["id"] == _ID, message
        return self.event_of(message["payload"])

    async def end(self) -> None:
        message = await self._message()
        assert (message["id"], message["type"]) == (_ID, "complete"), f"{self.exit}: expected the end, got {message}"


class GraphqlSocket(_GraphqlSocket):
    """graphql-transport-ws (graphql-ws, PROTOCOL.md)."""

    exit = "graphql-transport-ws"
    words = _Words("graphql-transport-ws", "subscribe", "next", "ping")


class OlderGraphqlSocket(_GraphqlSocket):
    """graphql-ws (subscriptions-transport-ws, PROTOCOL.md)."""

    exit = "graphql-ws"
    words = _Words("graphql-ws", "start", "data", "ka")


class BoardStateSubscriber(GraphqlSocket):
    """A client of `boardState`, where each event is a state."""

    exit = "boardState"

    def __init__(self, address: Address, board_id: str = "") -> None:
        super().__init__(address, board_id, board_document("boardState", "BoardState"))

    async def end(self) -> None:
        message = await self._message()
        errors = message["payload"] if message["type"] == "error" else message.get("payload", {}).get("errors")
        assert errors, f"{self.exit}: expected an error, got {message}"
        assert errors[0]["extensions"]["code"] == "BOARD_DELETED", f"{self.exit}: {errors}"


class GraphqlDistinctStream(GraphqlSubscriber):
    """GraphQL over SSE, distinct connections mode (graphql-sse, PROTOCOL.md)."""

    exit = "GraphQL over SSE, distinct connections"
    stream: SseReader

    @property
    def connection(self) -> Connection:
        return self.stream.connection

    async def open(self, after: str | None = None) -> None:
        connection = await self.stack.enter_async_context(connect(self.address))
        # An EventSource that reconnects sends this header. The other clients use the argument.
        headers = [("Last-Event-ID", after)] if after is not None else []
        answer = await _post(connection, "/graphql", "text/event-stream", self.request(None), headers)
        self.stream = SseReader(connection, answer)
        assert self.stream.is_stream, answer

    async def event(self) -> Json:
        kind, data, cursor = await self._block()
        if kind != "next":
            raise Ended(kind, data)
        event = self.event_of(orjson.loads(data))
        # As on the raw stream, `Hello` has no id to reconnect with: a client that has nothing else has missed nothing.
        own = None if event["__typename"] == "Hello" else event.get("cursor")
        assert cursor == own, f"{self.exit}: expected {own} as id, got {cursor}"
        return event

    async def end(self) -> None:
        kind, data, _ = await self._block()
        assert (kind, data) == ("complete", ""), f"{self.exit}: expected the end, got {kind} {data}"

    async def _block(self) -> tuple[str, str, str | None]:
        return await _sse_block(self.stream)


class GraphqlSingleStream(GraphqlSubscriber):
    """GraphQL over SSE, single connection mode (graphql-sse, PROTOCOL.md)."""

    exit = "GraphQL over SSE, single connection"
    stream: SseReader

    @property
    def connection(self) -> Connection:
        return self.stream.connection

    async def open(self, after: str | None = None) -> None:
        reserved = await exchange(self.address, "PUT", "/graphql/stream")
        assert reserved.status == 201, reserved
        token = [("X-GraphQL-Event-Stream-Token", reserved.body.decode())]
        opened = open_stream(self.address, "/graphql/stream", [("Accept", "text/event-stream"), *token])
        self.stream = await self.stack.enter_async_context(opened)
        assert self.stream.is_stream, self.stream.response
        operation = orjson.dumps(self.request(after, operationId=_ID))
        accepted = await exchange(self.address, "POST", "/graphql/stream", operation, token)
        assert accepted.status == 202, accepted

    async def event(self) -> Json:
        kind, data, _ = await _sse_block(self.stream)
        if kind != "next":
            raise Ended(kind, data)
        message = orjson.loads(data)
        assert message["id"] == _ID, message
        return self.event_of(message["payload"])

    async def end(self) -> None:
        kind, data, _ = await _sse_block(self.stream)
        assert (kind, orjson.loads(data)) == ("complete", {"id": _ID}), (
            f"{self.exit}: expected the end, got {kind} {data}"
        )


class GraphqlMultipart(GraphqlSubscriber):
    """Multipart HTTP (Apollo's subscriptions over HTTP). A part is complete when its closing delimiter has arrived."""

    exit = "GraphQL over multipart"
    _connection: Connection
    _chunks: Any
    _delimiter: bytes
    _pending = b""

    @property
    def connection(self) -> Connection:
        return self._connection

    async def open(self, after: str | None = None) -> None:
        self._connection = connection = await self.stack.enter_async_context(connect(self.address))
        accept = 'multipart/mixed;subscriptionSpec="1.0", application/json'
        answer = await _post(connection, "/graphql", accept, self.request(after))
        kind, _, parameters = (answer.header("Content-Type") or "").partition(";")
        assert (answer.status, kind) == (200, "multipart/mixed"), answer
        given = dict(one.strip().split("=", 1) for one in parameters.split(";"))
        self._delimiter = b"\r\n--" + given["boundary"].strip('"').encode()
        self._chunks = connection.chunks()
        self._pending = b"\r\n"  # the line end before the first delimiter is that of the head
        await self._part()  # the preamble

    async def event(self) -> Json:
        part = await self._part()
        body: Json = orjson.loads(part.split(b"\r\n\r\n", 1)[1])
        if not body:
            return await self.event()  # a heartbeat
        if body.get("errors"):
            raise Ended(body["errors"])
        return self.event_of(body["payload"])

    async def end(self) -> None:
        rest = self._pending + b"".join([chunk async for chunk in self._chunks])
        *parts, last = rest.split(self._delimiter)
        bodies = [orjson.loads(part.split(b"\r\n\r\n", 1)[1]) for part in parts]
        assert not any(bodies), f"{self.exit}: expected the end, got {rest!r}"
        assert last.startswith(b"--"), f"{self.exit}: expected the end, got {rest!r}"

    async def _part(self) -> bytes:
        while self._delimiter not in self._pending:
            try:
                self._pending += await anext(self._chunks)
            except (StopAsyncIteration, anyio.IncompleteRead, anyio.EndOfStream) as error:
                raise Ended("end of the response", self._pending) from error
        part, _, self._pending = self._pending.partition(self._delimiter)
        return part


async def _post(
    connection: Connection, target: str, accept: str, body: Json, headers: list[tuple[str, str]] | None = None
) -> Any:
    """Send an operation and read the head of the answer."""
    encoded = orjson.dumps(body)
    sent = [
        ("Host", "127.0.0.1"),
        ("Accept", accept),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(encoded))),
        *(headers or ()),
    ]
    await connection.send(request_bytes("POST", target, sent, encoded))
    return await connection.read_head()


async def _sse_block(stream: SseReader) -> tuple[str, str, str | None]:
    """Return event, data and id of the next block that is not a comment."""
    while True:
        try:
            lines = [line for line in (await stream.block()).split("\n") if line and not line.startswith(":")]
        except StreamEnded as ended:
            raise Ended("end of the response") from ended
        fields = {name: value.removeprefix(" ") for name, _, value in (line.partition(":") for line in lines)}
        if "event" in fields:
            return fields["event"], fields.get("data", ""), fields.get("id")
