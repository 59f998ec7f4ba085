"""Reads the messages that a client sends on a raw board WebSocket (docs/protocol.md, "Commands").

A message never closes the socket: the server answers a message that it cannot carry out with `error`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from realtime.errors import InvalidInput, quoted
from realtime.kanban.commands import Command, CreateCard, DeleteCard, MoveCard, UpdateCard, parse_command
from realtime.kanban.input.request_key import parse_key
from server.protocol.json_text import load_json

__all__ = [
    "COMMANDS",
    "IGNORED",
    "REQUESTS",
    "Authenticate",
    "Execute",
    "GetState",
    "KanbanProtocol",
    "Ping",
    "Refusal",
    "Request",
    "authentication_in",
]


@dataclass(frozen=True, slots=True)
class Execute:
    """Carry out `command`; `name` is its type, which the error repeats when the command is refused."""

    name: str
    command: Command
    #: The idempotency key, if the client sent one.
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Put a new token in place of that of the connection."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class GetState:
    """Send the state to this socket."""


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer with `pong`."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Answer with `error`."""

    name: str | None
    code: str
    message: str


#: The request in a message; None = the message asks for nothing.
Request = Execute | Authenticate | GetState | Ping | Refusal | None

#: The other messages; only `authenticate` has a payload.
REQUESTS = ("get_state", "ping", "pong", "authenticate")
#: Command → the class that reads its payload.
COMMANDS: dict[str, type[CreateCard | UpdateCard | MoveCard | DeleteCard]] = {
    "create_card": CreateCard,
    "update_card": UpdateCard,
    "move_card": MoveCard,
    "delete_card": DeleteCard,
}

#: Only REST and GraphQL set dependencies and the id of a new card; the original's socket ignored the fields.
IGNORED = ("dependsOn", "id")
_AUTHENTICATE = "authenticate"


class KanbanProtocol:
    """Reads messages and keeps the deadline of the heartbeat, in seconds of the caller's monotonic clock."""

    __slots__ = ("_last_json", "_timeout_seconds")

    def __init__(self, now: float, timeout_seconds: float) -> None:
        """Begin at `now`."""
        self._timeout_seconds = timeout_seconds
        self._last_json = now

    @property
    def deadline(self) -> float:
        """The time at which the heartbeat is overdue. Every message that is JSON moves it; WebSocket pings do not."""
        return self._last_json + self._timeout_seconds

    def receive(self, message: str | bytes, now: float) -> Request:
        """Return the request in a text or binary message."""
        try:
            parsed = load_json(message)
        except orjson.JSONDecodeError as error:
            return Refusal(None, "invalid_json", f"expected JSON, got something else: {error}")
        self._last_json = now
        if not isinstance(parsed, dict):
            return Refusal(None, "invalid_payload", f"expected a JSON object, got {quoted(parsed)}")
        name = parsed.get("type")
        if not isinstance(name, str):
            return Refusal(None, "invalid_payload", f"type: expected a string, got {quoted(name)}")
        return _request(name, parsed.get("payload"), parsed.get("key"))


def authentication_in(message: str | bytes) -> Authenticate | Refusal | None:
    """Return the request of a message on the dashboard's WebSocket, which knows `authenticate` only; None = another."""
    is_meant = _AUTHENTICATE in message if isinstance(message, str) else _AUTHENTICATE.encode() in message
    if not is_meant:
        return None
    try:
        parsed = load_json(message)
    except orjson.JSONDecodeError:
        return None
    is_it = isinstance(parsed, dict) and parsed.get("type") == _AUTHENTICATE
    return _authentication(parsed.get("payload")) if is_it else None


def _authentication(payload: object) -> Authenticate | Refusal:
    token = payload.get("token") if isinstance(payload, dict) else None
    if not isinstance(token, str):
        # The payload is not quoted: it may hold a secret.
        return Refusal(_AUTHENTICATE, "invalid_payload", "token: expected a string")
    return Authenticate(token)


def _request(name: str, payload: object, key: object) -> Request:
    match name:
        case "get_state":
            return GetState()
        case "ping":
            return Ping()
        case "pong":
            return None
        case "authenticate":
            return _authentication(payload)
        case _ if name in COMMANDS:
            return _command(name, payload, key)
        case _:
            known = ", ".join((*REQUESTS, *COMMANDS))
            return Refusal(name, "unknown_command", f"expected one of {known}, got {quoted(name)}")


def _command(name: str, payload: object, key: object) -> Request:
    fields = {k: v for k, v in payload.items() if k not in IGNORED} if isinstance(payload, dict) else payload
    try:
        return Execute(name, parse_command(COMMANDS[name], fields), parse_key(key, "key"))
    except InvalidInput as refused:
        return Refusal(name, refused.code, refused.message)
