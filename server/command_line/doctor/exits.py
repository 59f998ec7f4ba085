"""Every exit as a client sees it: how it is opened, and what comes, in one form. Blocks; each exit has its thread."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from server.command_line.asking import Remote

__all__ = ["BOARD_EXITS", "DASHBOARD_EXITS", "Item", "NotOpened", "OpenExit", "Opened"]

#: Most bytes of one message; a scratch board has one card, and the overview of the dashboard is bounded.
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
#: Most seconds without a byte on an open stream; heartbeats come more often.
SILENCE_SECONDS = 120.0
_BOARD = """
subscription ($board: ID!, $after: String) { boardChanges(boardId: $board, after: $after) {
  __typename ... on StreamEvent { cursor } ... on CardUpdated { card { title } } ... on Heartbeat { hash }
} }
"""


class NotOpened(Exception):
    """The exit refuses, or what came is none of ours."""


@dataclass(frozen=True, slots=True)
class Item:
    """One message of an exit."""

    #: The type as on the raw exits: `hello`, `card_updated`, …
    type: str
    cursor: str | None = None
    #: The new title, if the message brings one.
    title: str | None = None
    #: The hash of a heartbeat.
    hash: str | None = None
    #: Seconds between heartbeats, in `hello`.
    heartbeat_seconds: float | None = None


@dataclass(frozen=True)
class Opened:
    """An open exit."""

    items: Iterator[Item]
    #: Ends `items`; callable from another thread, and twice.
    close: Callable[[], None]


#: Opens an exit for a board, behind a cursor, with a deadline in seconds for each read.
OpenExit = Callable[[Remote, str, str | None, float], Opened]


def _raw_query(board: str, after: str | None) -> str:
    return urlencode({"boardId": board, "delivery": "changes", **({} if after is None else {"after": after})})


def _board_socket(remote: Remote, board: str, after: str | None, seconds: float) -> Opened:
    opened = _socket(remote, f"/api/v1/ws?{_raw_query(board, after)}", seconds)
    return Opened(_of_socket(opened, _raw), opened.close)


def _dashboard_socket(remote: Remote, board: str, after: str | None, seconds: float) -> Opened:
    opened = _socket(remote, "/api/v1/ws/dashboard", seconds)
    return Opened(_of_socket(opened, _raw), opened.close)


def _board_sse(remote: Remote, board: str, after: str | None, seconds: float) -> Opened:
    return _raw_sse(remote, f"/api/v1/sse?{_raw_query(board, after)}", seconds)


def _dashboard_sse(remote: Remote, board: str, after: str | None, seconds: float) -> Opened:
    return _raw_sse(remote, "/api/v1/sse", seconds)


def _graphql_socket(protocol: str, begin: str) -> OpenExit:
    def open_it(remote: Remote, board: str, after: str | None, seconds: float) -> Opened:
        """Open the socket, and begin the subscription on it."""
        opened = _socket(remote, "/graphql", seconds, protocol)
        opened.send('{"type":"connection_init","payload":{}}')
        while (came := _json(opened.recv(timeout=seconds))).get("type") != "connection_ack":
            if came.get("type") not in ("ka", "ping"):
                raise NotOpened(f"expected connection_ack, got {came.get('type')}")
        opened.send(orjson.dumps({"id": "1", "type": begin, "payload": _operation(board, after)}).decode())

        def item(message: Mapping[str, Any]) -> Item | None:
            """Return the event of a result, and answer pings."""
            if message.get("type") == "ping":
                opened.send('{"type":"pong"}')
            return _result(message.get("payload")) if message.get("type") in ("next", "data") else None

        return Opened(_of_socket(opened, item), opened.close)

    return open_it


def _graphql_sse(remote: Remote, board: str, after: str | None, seconds: float) -> Opened:
    body = orjson.dumps(_operation(board, after))
    response, close = _http(remote, "POST", "/graphql/stream", seconds, {"Accept": "text/event-stream"}, body)
    return Opened((item for name, data in _events(response) if name == "next" and (item := _result(data))), close)


def _graphql_reserved(remote: Remote, board: str, after: str | None, seconds: float) -> Opened:
    reserved, release = _http(remote, "PUT", "/graphql/stream", seconds, {}, ok=201)
    headers = {"X-GraphQL-Event-Stream-Token": reserved.read(1000).decode()}
    release()
    stream, close = _http(remote, "GET", "/graphql/stream", seconds, {**headers, "Accept": "text/event-stream"})
    body = orjson.dumps({**_operation(board, after), "extensions": {"operationId": "1"}})
    _, release = _http(remote, "POST", "/graphql/stream", seconds, headers, body, ok=202)
    release()
    results = (data.get("payload") for name, data in _events(stream) if name == "next")
    return Opened((item for result in results if (item := _result(result))), close)


def _graphql_multipart(remote: Remote, board: str, after: str | None, seconds: float) -> Opened:
    accept = {"Accept": "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"}
    body = orjson.dumps(_operation(board, after))
    response, close = _http(remote, "POST", "/graphql", seconds, accept, body)
    parts = (_json(line).get("payload") for line in _lines(response) if line.startswith(b"{"))
    return Opened((item for part in parts if (item := _result(part))), close)


#: Name, as in the metrics → how it is opened.
BOARD_EXITS: Mapping[str, OpenExit] = {
    "board-ws": _board_socket,
    "board-sse": _board_sse,
    "graphql-ws": _graphql_socket("graphql-transport-ws", "subscribe"),
    "older-graphql-ws": _graphql_socket("graphql-ws", "start"),
    "graphql-sse": _graphql_sse,
    "graphql-sse-single": _graphql_reserved,
    "graphql-multipart": _graphql_multipart,
}
DASHBOARD_EXITS: Mapping[str, OpenExit] = {"dashboard-ws": _dashboard_socket, "dashboard-sse": _dashboard_sse}


def _operation(board: str, after: str | None) -> dict[str, Any]:
    return {"query": _BOARD, "variables": {"board": board, "after": after}}


def _raw(envelope: Mapping[str, Any]) -> Item:
    fields = _object(envelope.get("payload"))
    every = fields.get("heartbeatSeconds")
    return Item(
        type=str(envelope.get("type")),
        cursor=_text(envelope.get("cursor") or fields.get("cursor")),
        title=_text(_object(fields.get("set")).get("title")),
        hash=_text(fields.get("hash")),
        heartbeat_seconds=every if isinstance(every, int | float) else None,
    )


def _result(result: Any) -> Item | None:
    if not isinstance(result, dict):
        return None
    if errors := result.get("errors"):
        raise NotOpened(str(_object(errors[0] if isinstance(errors, list) else errors).get("message")))
    event = _object(_object(result.get("data")).get("boardChanges"))
    name = "".join(f"_{one.lower()}" if one.isupper() else one for one in str(event.get("__typename"))).lstrip("_")
    return Item(
        name, _text(event.get("cursor")), _text(_object(event.get("card")).get("title")), _text(event.get("hash"))
    )


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _json(text: str | bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotOpened(f"expected JSON: {error}") from None
    if not isinstance(found, dict):
        raise NotOpened("expected a JSON object")
    return found


def _socket(remote: Remote, path: str, seconds: float, protocol: str | None = None) -> ClientConnection:
    try:
        return connect(
            f"ws{remote.base.removeprefix('http')}{path}",
            additional_headers=dict(remote.headers),
            subprotocols=[Subprotocol(protocol)] if protocol else None,
            open_timeout=seconds,
            close_timeout=1,
            max_size=MAX_MESSAGE_BYTES,
            compression=None,
        )
    except InvalidStatus as error:
        raise NotOpened(f"answered {error.response.status_code}") from None
    except (OSError, WebSocketException, ImportError, ValueError) as error:
        raise NotOpened(f"no WebSocket: {str(error) or type(error).__name__}") from None


def _of_socket(opened: ClientConnection, item: Callable[[Mapping[str, Any]], Item | None]) -> Iterator[Item]:
    try:
        for text in opened:
            found = item(_json(text))
            if found is not None:
                yield found
    except WebSocketException as error:
        raise NotOpened(str(error)) from None


def _raw_sse(remote: Remote, path: str, seconds: float) -> Opened:
    response, close = _http(remote, "GET", path, seconds, {"Accept": "text/event-stream"})
    events = _events(response, cursors=True)
    return Opened((_raw({"type": name, **data}) for name, data in events), close)


def _events(response: HTTPResponse, *, cursors: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the JSON of each event; with `cursors`, as `{"payload", "cursor"}`."""
    name, data, id_ = "message", b"", None
    for line in _lines(response):
        key, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if key == b"event":
            name = value.decode(errors="replace")
        elif key == b"data":
            data = value
        elif key == b"id":
            id_ = value.decode(errors="replace")
        elif not line:
            if data:
                yield name, {"payload": orjson.loads(data), "cursor": id_} if cursors else _json(data)
            name, data, id_ = "message", b"", None


def _lines(response: HTTPResponse) -> Iterator[bytes]:
    while line := response.readline(MAX_MESSAGE_BYTES):
        yield line.rstrip(b"\r\n")


def _http(
    remote: Remote,
    method: str,
    path: str,
    seconds: float,
    headers: Mapping[str, str],
    body: bytes | None = None,
    ok: int = 200,
) -> tuple[HTTPResponse, Callable[[], None]]:
    """Return the answer, whose head has come, and a function that cuts the connection."""
    parts = urlsplit(remote.base)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=seconds)
    sent = {"Content-Type": "application/json", "User-Agent": "boardcast", **remote.headers, **headers}
    try:
        connection.request(method, f"{parts.path}{path}", body, sent)
        opened = connection.sock
        response = connection.getresponse()
    except (OSError, HTTPException) as error:
        connection.close()
        raise NotOpened(f"no answer: {str(error) or type(error).__name__}") from None
    if response.status != ok:
        connection.close()
        raise NotOpened(f"answered {response.status}")
    opened.settimeout(SILENCE_SECONDS)
    return response, lambda: _cut(opened)


def _cut(opened: socket.socket | ssl.SSLSocket) -> None:
    try:
        opened.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already
