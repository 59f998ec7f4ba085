"""The server's side of graphql-ws, the older subprotocol: reads the messages of a client (subscriptions-transport-ws).

Where its PROTOCOL.md is silent, we answer as the package's own server 0.11 does. The server reports a message that it
cannot read, which "does not disconnect the client". Unlike that server, ours starts nothing before `connection_init`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from realtime.endings import INIT_TIMEOUT, TERMINATED, UNAUTHORIZED, CloseFrame
from server.protocol.graphql.request import MAX_ID, MalformedRequest, described, parse_parameters, unreadable
from server.protocol.graphql.ws_protocol import (
    Admit,
    Close,
    GraphqlWsProtocol,
    InvalidMessage,
    Message,
    Reply,
    Step,
    Stop,
    parsed_object,
)

__all__ = ["GraphqlWs"]

_KEEP_ALIVE: Message = {"type": "ka"}
_TYPES = ("connection_init", "start", "stop", "connection_terminate")


class GraphqlWs(GraphqlWsProtocol):
    """One connection of npm `subscriptions-transport-ws`, or of another client that speaks its protocol."""

    SUBPROTOCOL = "graphql-ws"

    @property
    def keep_alive(self) -> Message | None:
        """A `ka`, which comes "right after each GQL_CONNECTION_ACK processed and then periodically"."""
        return _KEEP_ALIVE if self._initialised else None

    def receive(self, data: str | bytes) -> Sequence[Step]:
        """Return the steps that a text or binary message asks for, in order."""
        try:
            message, fault = parsed_object(data)
            match message.get("type"):
                case "connection_init":
                    return self._init(message.get("payload"))
                case "start":
                    return self._start(_id(message), message.get("payload"), fault)
                case "stop":
                    return self._stop(_id(message))
                case "connection_terminate":
                    return (Close(TERMINATED.frame()),)
                case kind:
                    return (self._unknown(message, kind),)
        except InvalidMessage as invalid:
            return (_connection_error(str(invalid)),)

    def init_overdue(self) -> Sequence[Step]:
        """Report the timeout and close the connection."""
        return self.refuse(INIT_TIMEOUT.frame())

    def _init(self, payload: object) -> Sequence[Step]:
        # A client may send it again, and gets an answer again. The protocol defines no type for the payload: a payload
        # that is no object holds no token.
        return (Admit(payload if isinstance(payload, dict) else {}),)

    def refuse(self, frame: CloseFrame) -> Sequence[Step]:
        """Report the reason and close the connection."""
        return (_connection_error(frame.reason), Close(frame))

    def admit(self) -> Sequence[Step]:
        """Acknowledge the client."""
        self._initialised = True
        return (Reply({"type": "connection_ack"}), Reply(_KEEP_ALIVE))

    def _start(self, id: str, payload: object, fault: str | None) -> Sequence[Step]:
        if not self._initialised:
            return self.refuse(UNAUTHORIZED.frame())
        try:
            request = parse_parameters(payload)
        except MalformedRequest as malformed:
            return (Reply(self._error(id, [{"message": f"start: payload: {malformed}"}])),)
        if fault is not None:
            request = unreadable(request, f"payload: {fault}")
        if id not in self._running:
            return (self._begin(id, request),)
        # The new operation replaces the running one, as in the package's server. The server sends no `complete` for
        # the old one: the client would take it for the end of the new one.
        self._running.discard(id)
        return (Stop(id), self._begin(id, request))

    def _stop(self, id: str) -> Sequence[Step]:
        if id not in self._running:
            return ()  # the operation may have ended while this message was on its way
        return (Stop(id), Reply(self.completed(id)))

    def _unknown(self, message: Message, kind: object) -> Step:
        came = described(kind) if "type" in message else "none"
        sentence = f"type: expected one of {', '.join(_TYPES)}; got {came}"
        id = message.get("id")
        return (
            Reply(self._error(id, [{"message": sentence}]))
            if isinstance(id, str) and len(id) <= MAX_ID
            else _connection_error(sentence)
        )

    def _next(self, id: str, body: Message) -> Message:
        return {"id": id, "type": "data", "payload": body}

    def _error(self, id: str, errors: Sequence[Message]) -> Message:
        # The protocol says "payload: Error", so the payload is the first error. The package's client looks for a list
        # of all errors under `errors` first.
        payload: dict[str, Any] = {**errors[0]}
        if len(errors) > 1:
            payload["errors"] = errors
        return {"id": id, "type": "error", "payload": payload}


def _connection_error(sentence: str) -> Reply:
    return Reply({"type": "connection_error", "payload": {"message": sentence}})


def _id(message: Message) -> str:
    id = message.get("id")
    if isinstance(id, str) and len(id) <= MAX_ID:
        return id
    if isinstance(id, str):
        raise InvalidMessage(f"{message['type']}: id: expected at most {MAX_ID} characters, got {len(id)}")
    came = described(id) if "id" in message else "none"
    raise InvalidMessage(f"{message['type']}: id: expected a string, got {came}")
