"""The server's side of graphql-transport-ws: reads the messages of a client (graphql-ws, PROTOCOL.md).

Only a violation of the protocol closes the connection. A fault of an operation ends that operation only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from realtime.endings import (
    ALREADY_SUBSCRIBED,
    INIT_TIMEOUT,
    INVALID_MESSAGE,
    TOO_MANY_INITS,
    UNAUTHORIZED,
    CloseFrame,
)
from server.protocol.graphql.request import (
    MAX_ID,
    GraphqlRequest,
    MalformedRequest,
    described,
    parse_parameters,
    unreadable,
)
from server.protocol.graphql.ws_protocol import (
    Admit,
    Authenticate,
    Close,
    GraphqlWsProtocol,
    InvalidMessage,
    Message,
    Reply,
    Step,
    Stop,
    parsed_object,
)

__all__ = ["GraphqlTransportWs"]

_PING: Message = {"type": "ping"}
_TYPES = ("connection_init", "ping", "pong", "subscribe", "complete")


class GraphqlTransportWs(GraphqlWsProtocol):
    """One connection of npm `graphql-ws`, or of another client that speaks its protocol."""

    SUBPROTOCOL = "graphql-transport-ws"

    @property
    def keep_alive(self) -> Message:
        """A ping, which "can be sent at any time within the established socket"."""
        return _PING

    def receive(self, data: str | bytes) -> Sequence[Step]:
        """Return the steps that a text or binary message asks for, in order."""
        try:
            message, fault = _parsed(data)
            match message["type"]:
                case "connection_init":
                    return (self._init(message.get("payload")),)
                case "ping":
                    return (_pinged(message),)
                case "pong":
                    return ()  # an answer, or "even sent unsolicited as an unidirectional heartbeat"
                case "subscribe":
                    return (self._subscribe(_id(message), _request(message, fault)),)
                case _:
                    return self._complete(_id(message))
        except InvalidMessage as invalid:
            return (Close(INVALID_MESSAGE.frame(str(invalid))),)

    def init_overdue(self) -> Sequence[Step]:
        """Close: "4408: Connection initialisation timeout"."""
        return (Close(INIT_TIMEOUT.frame()),)

    def _init(self, payload: dict[str, Any] | None) -> Step:
        if self._initialised:
            return Close(TOO_MANY_INITS.frame())
        return Admit(payload or {})

    def refuse(self, frame: CloseFrame) -> Sequence[Step]:
        """Close, for a wrong token with "4403: Forbidden"."""
        return (Close(frame),)

    def admit(self) -> Sequence[Step]:
        """Acknowledge the client."""
        self._initialised = True
        return (Reply({"type": "connection_ack"}),)

    def _subscribe(self, id: str, request: GraphqlRequest) -> Step:
        if not self._initialised:
            return Close(UNAUTHORIZED.frame())
        if id in self._running:
            return Close(ALREADY_SUBSCRIBED.frame(f"Subscriber for {id} already exists"))
        return self._begin(id, request)

    def _complete(self, id: str) -> Sequence[Step]:
        # "It is permissable to simply ignore all unknown IDs": the operation may have ended while this came.
        if id not in self._running:
            return ()
        self._running.discard(id)
        return (Stop(id),)

    def _next(self, id: str, body: Message) -> Message:
        return {"id": id, "type": "next", "payload": body}

    def _error(self, id: str, errors: Sequence[Message]) -> Message:
        return {"id": id, "type": "error", "payload": errors}


def _parsed(data: str | bytes) -> tuple[dict[str, Any], str | None]:
    message, fault = parsed_object(data)
    kind = message.get("type")
    if kind not in _TYPES:
        came = described(kind) if "type" in message else "none"
        raise InvalidMessage(f"type: expected one of {', '.join(_TYPES)}; got {came}")
    payload = message.get("payload")
    if kind not in ("subscribe", "complete") and payload is not None and not isinstance(payload, dict):
        raise InvalidMessage(f"{kind}: payload: expected an object or null, got {described(payload)}")
    return message, fault


def _pinged(ping: Message) -> Step:
    # A new token in place, without a reconnection (docs/graphql.md, "A new token").
    payload = ping.get("payload")
    if payload is None or "token" not in payload:
        return Reply(_pong(ping))
    token = payload["token"]
    if isinstance(token, str):
        return Authenticate(token)
    # The value is not quoted: it may hold a secret.
    return Reply({"type": "pong", "payload": {"code": "INVALID_PAYLOAD", "message": "token: expected a string"}})


def _pong(ping: Message) -> Message:
    payload = ping.get("payload")
    if payload is None:
        return {"type": "pong"}
    try:
        return {"type": "pong", "payload": orjson.Fragment(orjson.dumps(payload))}
    except orjson.JSONEncodeError as error:  # orjson reads deeper nesting than it writes
        raise InvalidMessage("ping: payload: expected fewer than 250 levels of nesting, got more") from error


def _id(message: Message) -> str:
    id = message.get("id")
    if isinstance(id, str) and 0 < len(id) <= MAX_ID:
        return id
    if isinstance(id, str) and id:
        raise InvalidMessage(f"{message['type']}: id: expected at most {MAX_ID} characters, got {len(id)}")
    came = described(id) if "id" in message else "none"
    raise InvalidMessage(f"{message['type']}: id: expected a string that is not empty, got {came}")


def _request(message: Message, fault: str | None) -> GraphqlRequest:
    try:
        request = parse_parameters(message.get("payload"))
    except MalformedRequest as malformed:
        raise InvalidMessage(f"subscribe: payload: {malformed}") from malformed
    return request if fault is None else unreadable(request, f"payload: {fault}")
