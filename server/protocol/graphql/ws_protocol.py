"""What the GraphQL subprotocols of WebSocket share: what a message can ask for, and what a connection remembers.

Each subprotocol has a conversation of its own beside this. Carrying out what is asked, and the time in which
`connection_init` must come, are left to the transport.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson

from realtime.endings import CloseFrame
from server.protocol.graphql.request import GraphqlRequest, described
from server.protocol.json_text import read_json

__all__ = [
    "RESULT_END",
    "Close",
    "GraphqlWsProtocol",
    "InvalidMessage",
    "MayConnect",
    "Message",
    "Reply",
    "Start",
    "Step",
    "Stop",
    "parsed_object",
]

Message = Mapping[str, Any]
#: What is behind `data` in a message that carries a result without errors.
RESULT_END = b"}}"
#: Tells whether the payload of `connection_init` lets its sender in.
MayConnect = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True, slots=True)
class Reply:
    """Send `message`."""

    message: Message


@dataclass(frozen=True, slots=True)
class Start:
    """Execute `request`; everything about it carries `id`."""

    id: str
    request: GraphqlRequest


@dataclass(frozen=True, slots=True)
class Stop:
    """End the operation and send nothing more about it."""

    id: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection."""

    frame: CloseFrame


Step = Reply | Start | Stop | Close


class InvalidMessage(Exception):
    """Not a message of the protocol; the text says what was expected and what came."""


class GraphqlWsProtocol(ABC):
    """The server's side of one connection: reads messages, words answers, keeps the ids that are taken."""

    #: As it stands in `Sec-WebSocket-Protocol`.
    SUBPROTOCOL: ClassVar[str]

    def __init__(self, max_operations: int, may_connect: MayConnect) -> None:
        """Let in whom `may_connect` does, and at most `max_operations` run at the same time."""
        self._max_operations = max_operations
        self._may_connect = may_connect
        self._initialised = False
        self._running: set[str] = set()

    @property
    def initialised(self) -> bool:
        """Whether `connection_init` has come, and was acknowledged."""
        return self._initialised

    @property
    @abstractmethod
    def keep_alive(self) -> Message | None:
        """What to send now and then so that the client knows we are there; None = not yet."""

    @abstractmethod
    def receive(self, data: str | bytes) -> Sequence[Step]:
        """Return what a text or binary message asks for, in order; nothing comes behind `Close`."""

    @abstractmethod
    def init_overdue(self) -> Sequence[Step]:
        """Return what is due when `connection_init` has not come in time."""

    def result(self, id: str, body: Message, failed: bool) -> Message:
        """Return the message that carries a response of an operation; when it `failed`, that is its last.

        The id is free then, before the client can know it, so that it may be used again at once.
        """
        if not failed:
            return self._next(id, body)
        self._running.discard(id)
        return self._error(id, body["errors"])

    def result_beginning(self, id: str) -> bytes:
        """Return what is before `data` in the message that carries a result without errors; `RESULT_END` is behind it.

        So results that are encoded once are put together for each client.
        """
        return orjson.dumps(self._next(id, {"data": orjson.Fragment(b"")}))[: -len(RESULT_END)]

    def completed(self, id: str) -> Message:
        """Return the last message about an operation that has given all its results; its id is free."""
        self._running.discard(id)
        return {"id": id, "type": "complete"}

    def _begin(self, id: str, request: GraphqlRequest) -> Step:
        if len(self._running) >= self._max_operations:
            return Reply(self._error(id, [_too_many(self._max_operations)]))
        self._running.add(id)
        return Start(id, request)

    @abstractmethod
    def _next(self, id: str, body: Message) -> Message: ...

    @abstractmethod
    def _error(self, id: str, errors: Sequence[Message]) -> Message: ...


def parsed_object(data: str | bytes) -> tuple[dict[str, Any], str | None]:
    """Return the JSON object that a message is, and what of it could not be taken (`json_text`).

    Raises:
        InvalidMessage: it is something else.
    """
    try:
        read = read_json(data)
    except orjson.JSONDecodeError as error:
        raise InvalidMessage(f"expected JSON, got something else: {error}") from error
    if not isinstance(read.value, dict):
        raise InvalidMessage(f"expected a JSON object, got {described(read.value)}")
    if read.fault is not None and "\ufffd" in str(read.value.get("id", "")):
        raise InvalidMessage(f"id: {read.fault}")  # nothing could be said about it
    return read.value, read.fault


def _too_many(limit: int) -> Message:
    text = f"expected at most {limit} operations at a time on one connection, got one more; complete one first"
    return {"message": text, "extensions": {"code": "TOO_MANY_OPERATIONS"}}
