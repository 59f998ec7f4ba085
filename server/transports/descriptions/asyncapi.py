"""AsyncAPI 3 of the raw streams: made of the registry of payloads and of the commands of the WebSocket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from pydantic import BaseModel

from realtime.kanban.input.request_key import KEY_CHARS
from realtime.kanban.models import BoardState
from realtime.messages.options import Delivery, SlowPolicy
from realtime.messages.payloads import (
    PAYLOADS,
    AgentProfile,
    AgentRegistered,
    CommandRefused,
    GitStatus,
    Hello,
    Overview,
    Patch,
    Payload,
    Pong,
    State,
)
from server.protocol.kanban_messages import SOCKET_NAMES
from server.protocol.kanban_protocol import COMMANDS, IGNORED, REQUESTS
from server.runtime.version import boardcast_version
from server.transports.descriptions.json_schemas import Json, Schemas, first_paragraph
from server.transports.descriptions.openapi import SECURITY_SCHEMES

__all__ = ["asyncapi", "message_name"]

#: The modules of payloads that both kinds of stream have: of agents, and of the stream itself.
_SHARED = frozenset({Hello.__module__, AgentRegistered.__module__, AgentProfile.__module__})
#: Replies, which only a client that can send gets.
_REPLIES = (Pong, CommandRefused)
_SOCKET, _SSE = "Socket", "Events"


@cache
def asyncapi() -> Json:
    """Return the document; nobody may change it."""
    schemas = Schemas()
    messages = {message_name(one, socket): _message(schemas, one, socket) for one, socket in _all_payloads()}
    commands = {f"{_camel(name)}Command": _command(schemas, name) for name in (*REQUESTS, *COMMANDS)}
    channels = {
        "boardSocket": _channel("/api/v1/ws", _names(_of_board(), _SOCKET), _query("boardId"), commands),
        "boardEvents": _channel("/api/v1/sse", _names(_of_board(), _SSE), _query("boardId")),
        "dashboardSocket": _channel("/api/v1/ws/dashboard", _names(_of_dashboard(), _SOCKET), {}),
        "dashboardEvents": _channel("/api/v1/sse", _names(_of_dashboard(), _SSE), _query(None)),
    }
    operations: dict[str, Json] = {
        name: {"action": "send", "channel": {"$ref": f"#/channels/{name}"}, "summary": "Envelopes, as they come."}
        for name in channels
    }
    operations["boardCommands"] = {
        "action": "receive",
        "channel": {"$ref": "#/channels/boardSocket"},
        "summary": "Commands and requests of the client.",
        "messages": [{"$ref": f"#/channels/boardSocket/messages/{name}"} for name in commands],
    }
    for name in channels:
        sent = [one for one in channels[name]["messages"] if one not in commands]
        operations[name]["messages"] = [{"$ref": f"#/channels/{name}/messages/{one}"} for one in sent]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Boardcast: the raw streams",
            "version": boardcast_version(),
            "description": "Boards and the dashboard over WebSocket and server-sent events (SSE). A message of SSE is "
            "the `data` of an event; its `event` is the name, its `id` the cursor.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "sockets": {"host": "localhost:8000", "protocol": "ws"},
            "events": {"host": "localhost:8000", "protocol": "http"},
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {**messages, **commands},
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {
                "bearer": SECURITY_SCHEMES["bearer"],
                "query": {**SECURITY_SCHEMES["query"], "type": "httpApiKey"},
            },
        },
    }


def message_name(payload: type[Payload], exit: str) -> str:
    """Return the name of the message of an envelope on a kind of exit: `Socket` or `Events`."""
    return f"{_camel(payload.type)}{exit}"


def _of_board() -> Iterable[type[Payload]]:
    return (one for one in PAYLOADS.values() if one is not Overview)


def _of_dashboard() -> Iterable[type[Payload]]:
    return (one for one in PAYLOADS.values() if one is Overview or one.__module__ in _SHARED)


def _names(payloads: Iterable[type[Payload]], exit: str) -> list[str]:
    return [message_name(one, exit) for one in payloads if exit == _SOCKET or one not in _REPLIES]


def _all_payloads() -> Iterator[tuple[type[Payload], str]]:
    for one in PAYLOADS.values():
        yield one, _SOCKET
        if one not in _REPLIES:
            yield one, _SSE


def _query(board: str | None) -> Json:
    """Return the parameters of a stream; `board` is the name of the one for the board."""
    query: Json = {
        "type": "object",
        "properties": {
            "after": {"type": "string", "description": "A cursor: the stream continues after it."},
            "slow": {"enum": [str(one) for one in SlowPolicy], "description": "What happens to a slow client."},
        },
    }
    if board is not None:
        query["properties"][board] = {"type": "string", "minLength": 1}
        query["properties"]["delivery"] = {"enum": [str(one) for one in Delivery], "description": "How changes come."}
        query["required"] = [board]
    return query


def _channel(address: str, messages: list[str], query: Json, commands: Iterable[str] = ()) -> Json:
    is_socket = "/ws" in address
    made: Json = {
        "address": address,
        "servers": [{"$ref": f"#/servers/{'sockets' if is_socket else 'events'}"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in (*messages, *commands)},
    }
    # AsyncAPI has no binding of HTTP for a channel, so the query of an event stream is an extension.
    if is_socket:
        made["bindings"] = {"ws": {"method": "GET", **({"query": query} if query else {})}}
    else:
        made["x-query"] = query
    return made


def _message(schemas: Schemas, kind: type[Payload], exit: str) -> Json:
    name = SOCKET_NAMES.get(kind.type, kind.type) if exit == _SOCKET else kind.type
    content = _payload(schemas, kind)
    if exit == _SOCKET:
        properties: Json = {"type": {"const": name}, "payload": content, "cursor": {"type": "string"}}
        needed = ["type", "payload"]
        if kind is GitStatus:
            del properties["payload"]
            needed.remove("payload")
        content = {"type": "object", "properties": properties, "required": needed, "additionalProperties": False}
    return {"name": name, "title": name, "summary": first_paragraph(kind), "payload": content}


def _payload(schemas: Schemas, kind: type[Payload]) -> Json:
    if kind is State:
        return schemas.of(BoardState)
    if kind is Patch:
        operation = {"type": "object", "required": ["op", "path"], "properties": {"op": {"type": "string"}}}
        return {"type": "array", "items": operation}
    keys = kind.wire_keys()
    properties = {one.name: {"description": one.meaning, **schemas.of(one.kind)} for one in keys}
    needed = [one.name for one in keys if not one.is_optional]
    return {"type": "object", "properties": properties, "required": needed}


def _command(schemas: Schemas, name: str) -> Json:
    properties: Json = {"type": {"const": name}}
    needed = ["type"]
    model: type[BaseModel] | None = COMMANDS.get(name)
    if model is not None:
        properties["payload"] = schemas.model(model, {"type", *IGNORED})
        properties["key"] = {"type": "string", "minLength": 1, "maxLength": KEY_CHARS}
        needed.append("payload")
    elif name == "authenticate":
        token = {"type": "object", "properties": {"token": {"type": "string"}}, "required": ["token"]}
        properties["payload"] = token
        needed.append("payload")
    summary = first_paragraph(model) if model is not None else f"The request `{name}` (docs/protocol.md)."
    content = {"type": "object", "properties": properties, "required": needed}
    return {"name": name, "title": name, "summary": summary, "payload": content}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(one.title() for one in others)
