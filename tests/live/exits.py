"""The streaming exits with one interface: connect on a given connection, read event after event."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson

from tests.kit.graphql_stream import GraphqlStream
from tests.kit.multipart_reader import ACCEPT, MultipartReader
from tests.kit.raw_http import Answer, Connection, request_bytes
from tests.kit.raw_socket import CLOSE, PING, RawSocket
from tests.kit.reserved_stream import ADDRESS, ReservedStream, reserve
from tests.kit.sse_reader import SseReader, StreamEnded
from tests.live.boards import BOARD

__all__ = ["EXITS", "Ended", "ExitSubscriber", "exit_request", "open_behind", "open_exit", "opening_request"]

_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
_EVENTS = """subscription ($id: ID!, $after: String) { boardEvents(boardId: $id, after: $after) {
    __typename ... on Hello { cursor } ... on State { cursor state { cards { title description } } }
    ... on AgentRegistered { cursor label }
    ... on Access { expiresAt } ... on Goodbye { reason reconnectAfterMs } } }"""


class Ended(Exception):
    """The server ended the stream with a word of its protocol: a close code, or a GraphQL error code."""

    def __init__(self, word: int | str, detail: str | int | None = None) -> None:
        """Keep the word; `detail` is the reason of a close code, or an error's time to reconnect."""
        super().__init__(word, detail)
        self.word = word
        self.detail = detail


class ExitSubscriber(Protocol):
    """A subscriber of one exit."""

    #: The cursor of the last event that had one.
    cursor: str | None

    async def event(self) -> tuple[str, Any]:
        """Return type and payload of the next event.

        Raises:
            Ended: there is none, and the server gave a reason.
        """

    async def say_goodbye(self) -> None:
        """Leave as the protocol requires."""


class _Socket:
    def __init__(self, socket: RawSocket) -> None:
        self.socket = socket
        self.cursor: str | None = None

    async def event(self) -> tuple[str, Any]:
        message = await self.message()
        self.cursor = message.get("cursor", self.cursor)
        return message["type"], message.get("payload")

    async def message(self) -> dict[str, Any]:
        while (frame := await self.socket.receive()).opcode == PING:
            pass
        if frame.opcode == CLOSE:
            raise Ended(*frame.close)
        parsed: dict[str, Any] = orjson.loads(frame.text)
        return parsed

    async def say_goodbye(self) -> None:
        assert await self.socket.close(1000, "bye") == (1000, "bye")


class _GraphqlSocket(_Socket):
    """`boardEvents` over graphql-transport-ws."""

    start, stop, sign_of_life = "subscribe", "complete", "ping"

    async def message(self) -> dict[str, Any]:
        while (message := await super().message())["type"] == self.sign_of_life:
            pass
        return message

    async def subscribe(self, after: str | None) -> None:
        await self.socket.send_json({"type": "connection_init"})
        assert (await self.message())["type"] == "connection_ack"
        await self.socket.send_json(
            {"id": "1", "type": self.start, "payload": {"query": _EVENTS, "variables": _variables(after)}}
        )

    async def event(self) -> tuple[str, Any]:
        message = await self.message()
        if message["type"] == "complete":
            raise Ended("complete")
        if message["type"] == "error":
            # A list of errors; in the older subprotocol a single error.
            errors = message["payload"]
            return _event_in({"errors": errors if isinstance(errors, list) else [errors]})
        event = _event_in(message["payload"])
        self.cursor = event[1].get("cursor") or self.cursor
        return event

    async def say_goodbye(self) -> None:
        await self.socket.send_json({"id": "1", "type": self.stop})
        await super().say_goodbye()


class _OlderGraphqlSocket(_GraphqlSocket):
    """`boardEvents` over graphql-ws, the older subprotocol."""

    start, stop, sign_of_life = "start", "stop", "ka"

    async def say_goodbye(self) -> None:
        await self.socket.send_json({"id": "1", "type": self.stop})
        await self.socket.send_json({"type": "connection_terminate"})
        with contextlib.suppress(Ended):
            while True:
                await self.message()


class _Stream:
    def __init__(self, stream: SseReader) -> None:
        self.stream = stream
        self.cursor: str | None = None

    async def event(self) -> tuple[str, Any]:
        lines = dict(line.split(": ", 1) for line in (await self.stream.block()).split("\n") if line)
        self.cursor = lines.get("id", self.cursor)
        return lines["event"], orjson.loads(lines["data"])

    def event_in(self, result: dict[str, Any]) -> tuple[str, Any]:
        event = _event_in(result)
        self.cursor = event[1].get("cursor") or self.cursor
        return event

    async def say_goodbye(self) -> None:
        await self.stream.aclose()


class _GraphqlStream(_Stream):
    """`boardEvents` over SSE, on its own connection."""

    async def event(self) -> tuple[str, Any]:
        block = await GraphqlStream(self.stream).block()
        if block.event == "complete":
            raise Ended("complete")
        return self.event_in(block.json())


class _Reserved(_Stream):
    """`boardEvents` over SSE, one connection for all operations."""

    def __init__(self, reserved: ReservedStream) -> None:
        super().__init__(reserved.stream.reader)
        self.reserved = reserved

    async def event(self) -> tuple[str, Any]:
        block = await self.reserved.stream.block()
        if block.event == "complete":
            raise Ended("complete")
        return self.event_in(block.json()["payload"])


class _Multipart:
    """`boardEvents` in multipart parts."""

    def __init__(self, subscriber: MultipartReader) -> None:
        self.subscriber = subscriber
        self.cursor: str | None = None

    async def event(self) -> tuple[str, Any]:
        try:
            part = await self.subscriber.part()
        except StreamEnded as ended:
            raise Ended("complete") from ended
        event = _event_in(part if "errors" in part else part["payload"])
        self.cursor = event[1].get("cursor") or self.cursor
        return event

    async def say_goodbye(self) -> None:
        await self.subscriber.connection.aclose()


def _event_in(result: dict[str, Any]) -> tuple[str, Any]:
    if result.get("errors"):
        extensions = result["errors"][0]["extensions"]
        raise Ended(extensions["code"], extensions.get("reconnectAfterMs"))
    event = result["data"]["boardEvents"]
    return _TYPES.get(event["__typename"], event["__typename"]), event


_TYPES = {
    "Hello": "hello",
    "State": "state",
    "AgentRegistered": "agent_registered",
    "Access": "access",
    "Gap": "gap",
    "Goodbye": "goodbye",
}
_EVENT_STREAM = "text/event-stream"
_Opener = Callable[[Connection, str, str | None], Awaitable[ExitSubscriber]]


async def _socket(connection: Connection, target: str, after: str | None) -> ExitSubscriber:
    return _Socket(await RawSocket.handshake(connection, _behind(target, after)))


async def _graphql(connection: Connection, target: str, after: str | None) -> ExitSubscriber:
    return await _subscribed(_GraphqlSocket, connection, target, "graphql-transport-ws", after)


async def _older_graphql(connection: Connection, target: str, after: str | None) -> ExitSubscriber:
    return await _subscribed(_OlderGraphqlSocket, connection, target, "graphql-ws", after)


async def _subscribed(
    kind: type[_GraphqlSocket], connection: Connection, target: str, subprotocol: str, after: str | None
) -> ExitSubscriber:
    headers = [*_upgrade(), ("Sec-WebSocket-Protocol", subprotocol)]
    subscriber = kind(await RawSocket.handshake(connection, target, headers))
    await subscriber.subscribe(after)
    return subscriber


async def _stream(connection: Connection, target: str, after: str | None) -> ExitSubscriber:
    return _Stream(await _opened_stream(connection, _behind(target, after)))


async def _graphql_stream(connection: Connection, target: str, after: str | None) -> ExitSubscriber:
    return _GraphqlStream(await _opened_stream(connection, target if after is None else _get(after)))


async def _reserved_stream(connection: Connection, target: str, after: str | None) -> ExitSubscriber:
    reserved = await reserve(connection.peer)
    await reserved.open_on(connection)
    assert (await reserved.begin("1", _EVENTS, _variables(after))).status == 202
    return _Reserved(reserved)


async def _multipart(connection: Connection, target: str, after: str | None) -> ExitSubscriber:
    target = target if after is None else _get(after)
    return _Multipart(MultipartReader(connection, await _answered(connection, target, ACCEPT)))


async def _opened_stream(connection: Connection, target: str) -> SseReader:
    return SseReader(connection, await _answered(connection, target))


async def _answered(connection: Connection, target: str, accept: str = _EVENT_STREAM) -> Answer:
    await connection.send(opening_request(target, accept))
    head = await connection.read_head()
    assert head.status == 200, head
    return head


def _variables(after: str | None) -> dict[str, str]:
    return {"id": BOARD} if after is None else {"id": BOARD, "after": after}


def _behind(target: str, after: str | None) -> str:
    return target if after is None else f"{target}{'&' if '?' in target else '?'}{urlencode({'after': after})}"


def _get(after: str | None = None) -> str:
    return "/graphql?" + urlencode({"query": _EVENTS, "variables": orjson.dumps(_variables(after)).decode()})


_GET = _get()

#: Name → the function that opens it, and its address.
EXITS: dict[str, tuple[_Opener, str]] = {
    "board-ws": (_socket, f"/api/v1/ws?boardId={BOARD}"),
    "dashboard-ws": (_socket, "/api/v1/ws/dashboard"),
    "board-sse": (_stream, f"/api/v1/sse?boardId={BOARD}"),
    "dashboard-sse": (_stream, "/api/v1/sse"),
    "graphql-ws": (_graphql, "/graphql"),
    "graphql-sse": (_graphql_stream, _GET),
    "older-graphql-ws": (_older_graphql, "/graphql"),
    "graphql-sse-single": (_reserved_stream, ADDRESS),
    "graphql-multipart": (_multipart, _GET),
}


def _upgrade() -> list[tuple[str, str]]:
    return [
        ("Host", "127.0.0.1"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", _KEY),
        ("Sec-WebSocket-Version", "13"),
    ]


def opening_request(target: str, accept: str = _EVENT_STREAM) -> bytes:
    """Return the bytes of a request for a stream or an upgrade."""
    if "/ws" in target or target == "/graphql":
        return request_bytes("GET", target, _upgrade())
    return request_bytes("GET", target, [("Host", "127.0.0.1"), ("Accept", accept)])


def exit_request(name: str) -> bytes:
    """Return the bytes of the first request of an exit."""
    return opening_request(EXITS[name][1], ACCEPT if name == "graphql-multipart" else _EVENT_STREAM)


async def open_exit(name: str, connection: Connection) -> ExitSubscriber:
    """Open an exit on `connection` and read its first events: hello and the current state."""
    subscriber = await open_behind(name, connection, None)
    assert (await subscriber.event())[0] in {"state", "dashboard_overview"}
    return subscriber


async def open_behind(name: str, connection: Connection, after: str | None) -> ExitSubscriber:
    """Open an exit on `connection` after the cursor `after`, and read `hello`."""
    opener, target = EXITS[name]
    subscriber = await opener(connection, target, after)
    assert (await subscriber.event())[0] == "hello"
    return subscriber
