"""Base class of the two GraphQL subprotocols on WebSocket: the steps that a message can ask for, and shared state.

Each subprotocol has a module with its own subclass. The transport carries the steps out, and limits the time in which
`connection_init` must come.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import orjson

from realtime.endings import CloseFrame
from realtime.limits import LimitReached
from server.protocol.graphql.request import RETRY_SECONDS, GraphqlRequest, described
from server.protocol.json_text import read_json

__all__ = [
    "RESULT_END",
    "Admit",
    "Authenticate",
    "Close",
    "GraphqlWsProtocol",
    "InvalidMessage",
    "Message",
    "Reply",
    "Start",
    "Step",
    "Stop",
    "parsed_object",
]

Message = Mapping[str, Any]
#: The bytes after `data` in a message that carries a result without errors.
RESULT_END = b"}}"


@dataclass(frozen=True, slots=True)
class Admit:
    """Decide whether the payload of `connection_init` admits the client, then carry out `admit` or `refuse`."""

    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Put a new token in place of that of the connection, and answer with `answer_to_token`."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The server sends `message` to the client."""

    message: Message
    #: The limit that the message reports, for the access log.
    reached: LimitReached | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Execute `request`; every message about this operation carries `id`."""

    id: str
    request: GraphqlRequest


@dataclass(frozen=True, slots=True)
class Stop:
    """End the operation and send nothing more about it."""

    id: str


@dataclass(frozen=True, slots=True)
class Close:
    """The server closes the connection with `frame`."""

    frame: CloseFrame


Step = Admit | Authenticate | Reply | Start | Stop | Close


class InvalidMessage(Exception):
    """The message does not follow the protocol; the text says what was expected and what came."""


class GraphqlWsProtocol(ABC):
    """The server's side of one connection: reads messages, builds answers, and knows the ids of running operations."""

    #: The name in `Sec-WebSocket-Protocol`.
    SUBPROTOCOL: ClassVar[str]

    def __init__(self, max_operations: int) -> None:
        """Let at most `max_operations` run at the same time."""
        self._max_operations = max_operations
        self._initialised = False
        self._running: set[str] = set()

    @property
    def initialised(self) -> bool:
        """Whether the client has sent `connection_init` and the server has acknowledged it."""
        return self._initialised

    @property
    @abstractmethod
    def keep_alive(self) -> Message | None:
        """The message that the server sends at intervals to show that it is alive; None = not yet."""

    @abstractmethod
    def receive(self, data: str | bytes) -> Sequence[Step]:
        """Return the steps that a text or binary message asks for, in order; no step follows `Close`."""

    @abstractmethod
    def admit(self) -> Sequence[Step]:
        """Acknowledge the client, behind `Admit`."""

    @abstractmethod
    def refuse(self, frame: CloseFrame) -> Sequence[Step]:
        """Return the steps that refuse the client and close with `frame`, behind `Admit`."""

    @abstractmethod
    def init_overdue(self) -> Sequence[Step]:
        """Return the steps to take when `connection_init` has not come in time."""

    def result(self, id: str, body: Message, failed: bool) -> Message:
        """Return the message that carries a response of an operation; when the operation `failed`, it is the last one.

        A failed operation's id is free before the client reads this message, so the client may reuse it at once.
        """
        if not failed:
            return self._next(id, body)
        self._running.discard(id)
        return self._error(id, body["errors"])

    def result_beginning(self, id: str) -> bytes:
        """Return the bytes before `data` in the message that carries a result without errors; `RESULT_END` follows it.

        So a result is encoded once, and only these bytes around it differ for each client.
        """
        return orjson.dumps(self._next(id, {"data": orjson.Fragment(b"")}))[: -len(RESULT_END)]

    def completed(self, id: str) -> Message:
        """Return the last message about an operation that has sent all its results; its id is free."""
        self._running.discard(id)
        return {"id": id, "type": "complete"}

    def _begin(self, id: str, request: GraphqlRequest) -> Step:
        if len(self._running) >= self._max_operations:
            reached = _too_many(self._max_operations)
            extensions = {"code": "RATE_LIMITED", "retryAfterSeconds": reached.retry_after_seconds}
            return Reply(self._error(id, [{"message": reached.message, "extensions": extensions}]), reached)
        self._running.add(id)
        return Start(id, request)

    @abstractmethod
    def _next(self, id: str, body: Message) -> Message: ...

    @abstractmethod
    def _error(self, id: str, errors: Sequence[Message]) -> Message: ...


def parsed_object(data: str | bytes) -> tuple[dict[str, Any], str | None]:
    """Return the JSON object in a message, and the fault that `json_text` found in it (None = no fault).

    Raises:
        InvalidMessage: the message is no JSON object.
    """
    try:
        read = read_json(data)
    except orjson.JSONDecodeError as error:
        raise InvalidMessage(f"expected JSON, got something else: {error}") from error
    if not isinstance(read.value, dict):
        raise InvalidMessage(f"expected a JSON object, got {described(read.value)}")
    id = read.value.get("id")
    # Only of a text: the text of a list that is nested a thousand deep cannot be made.
    if read.fault is not None and isinstance(id, str) and "\ufffd" in id:
        raise InvalidMessage(f"id: {read.fault}")  # without the id, no answer can name the operation
    return read.value, read.fault


def _too_many(limit: int) -> LimitReached:
    expected = f"expected at most {limit} operations at a time on one connection"
    return LimitReached(f"{expected}, got one more; complete one first", RETRY_SECONDS)
