"""The server's side of graphql-transport-ws: what each message of a client asks for (graphql-ws, PROTOCOL.md).

Only a breach of the protocol closes the connection. Whatever is wrong with an operation ends that operation.
Carrying out what is asked, and the time in which `connection_init` must come, are left to the transport.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from server.close_codes import (
    ALREADY_SUBSCRIBED,
    INVALID_MESSAGE,
    TOO_MANY_INITS,
    UNAUTHORIZED,
    Ending,
)
from server.protocol.graphql_request import GraphqlRequest, MalformedRequest, described, parse_parameters

__all__ = [
    "PING",
    "SUBPROTOCOL",
    "Close",
    "GraphqlConversation",
    "Message",
    "Reply",
    "Start",
    "Step",
    "Stop",
    "complete_message",
    "error_message",
    "next_message",
]

SUBPROTOCOL = "graphql-transport-ws"
Message = Mapping[str, Any]
PING: Message = {"type": "ping"}
_TYPES = ("connection_init", "ping", "pong", "subscribe", "complete")


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

    ending: Ending


#: What a message asks for; None = nothing.
Step = Reply | Start | Stop | Close | None


class _Invalid(Exception):
    """Not a message of the protocol; the text says what was expected and what came."""


class GraphqlConversation:
    """Reads messages and keeps the ids that are taken."""

    def __init__(self, max_operations: int) -> None:
        """Let at most `max_operations` run at the same time."""
        self._max_operations = max_operations
        self._initialised = False
        self._running: set[str] = set()

    @property
    def initialised(self) -> bool:
        """Whether `connection_init` has come, and was acknowledged."""
        return self._initialised

    def receive(self, data: str | bytes) -> Step:
        """Return what a text or binary message asks for."""
        try:
            message = _parsed(data)
            match message["type"]:
                case "connection_init":
                    return self._init()
                case "ping":
                    return Reply(_pong(message))
                case "pong":
                    return None  # an answer, or "even sent unsolicited as an unidirectional heartbeat"
                case "subscribe":
                    return self._subscribe(_id(message), _request(message))
                case _:
                    return self._complete(_id(message))
        except _Invalid as invalid:
            return Close(INVALID_MESSAGE.because(str(invalid)))

    def finish(self, id: str) -> None:
        """Free an id before the server's last message about it, so that the client may use it again at once."""
        self._running.discard(id)

    def _init(self) -> Step:
        if self._initialised:
            return Close(TOO_MANY_INITS)
        self._initialised = True
        return Reply({"type": "connection_ack"})

    def _subscribe(self, id: str, request: GraphqlRequest) -> Step:
        if not self._initialised:
            return Close(UNAUTHORIZED)
        if id in self._running:
            return Close(ALREADY_SUBSCRIBED.because(f"Subscriber for {id} already exists"))
        if len(self._running) >= self._max_operations:
            return Reply(error_message(id, [_too_many(self._max_operations)]))
        self._running.add(id)
        return Start(id, request)

    def _complete(self, id: str) -> Step:
        # "It is permissable to simply ignore all unknown IDs": the operation may have ended while this came.
        if id not in self._running:
            return None
        self._running.discard(id)
        return Stop(id)


def next_message(id: str, payload: Message) -> Message:
    """Return a result of an operation."""
    return {"id": id, "type": "next", "payload": payload}


def error_message(id: str, errors: Sequence[Any]) -> Message:
    """Return the end of an operation that failed; "no further messages will be sent"."""
    return {"id": id, "type": "error", "payload": errors}


def complete_message(id: str) -> Message:
    """Return the end of an operation that has given all its results."""
    return {"id": id, "type": "complete"}


def _parsed(data: str | bytes) -> dict[str, Any]:
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _Invalid(f"expected JSON, got something else: {error}") from error
    if not isinstance(message, dict):
        raise _Invalid(f"expected a JSON object, got {described(message)}")
    kind = message.get("type")
    if kind not in _TYPES:
        came = described(kind) if "type" in message else "none"
        raise _Invalid(f"type: expected one of {', '.join(_TYPES)}; got {came}")
    payload = message.get("payload")
    if kind not in ("subscribe", "complete") and payload is not None and not isinstance(payload, dict):
        raise _Invalid(f"{kind}: payload: expected an object or null, got {described(payload)}")
    return message


def _pong(ping: Message) -> Message:
    payload = ping.get("payload")
    return {"type": "pong"} if payload is None else {"type": "pong", "payload": payload}


def _id(message: Message) -> str:
    id = message.get("id")
    if isinstance(id, str) and id:
        return id
    came = described(id) if "id" in message else "none"
    raise _Invalid(f"{message['type']}: id: expected a string that is not empty, got {came}")


def _request(message: Message) -> GraphqlRequest:
    try:
        return parse_parameters(message.get("payload"))
    except MalformedRequest as malformed:
        raise _Invalid(f"subscribe: payload: {malformed}") from malformed


def _too_many(limit: int) -> Message:
    text = f"expected at most {limit} operations at a time on one connection, got one more; complete one first"
    return {"message": text, "extensions": {"code": "TOO_MANY_OPERATIONS"}}
