"""How the load client opens each exit: the bytes that it sends, and the marks that it looks for in the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import orjson

from tests.kit.raw_http import Headers, request_bytes

__all__ = [
    "BOARD_STATE",
    "LINE_MARK",
    "NUMBER",
    "Opening",
    "board_socket",
    "board_stream",
    "deflated_socket",
    "graphql_events",
    "graphql_socket",
    "titles_socket",
]

NUMBER = "{nnnn}"
#: The text before the six digits in a log line, on every exit.
LINE_MARK = '"message":"#'
#: The text before the six digits in a card's title.
TITLE_MARK = '"title":"#'

_UPGRADE: Headers = [
    ("Host", "127.0.0.1"),
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "Ym9hcmRjYXN0LWJlbmNoIQ=="),
]

#: Every field of a board that a kanban user interface shows.
BOARD_STATE = """subscription ($id: ID!) { boardState(boardId: $id) {
  cursor columnOrder
  columns { id title cardIds }
  cards { id ticketKey title description ticketType isEnhanced createdAt updatedAt }
} }"""

#: The fields of a log line that the raw exits send.
_BOARD_EVENTS = """subscription ($id: ID!) { boardEvents(boardId: $id) {
  __typename ... on AttemptLogAppended { cursor attemptId level message ts }
} }"""


@dataclass(frozen=True, slots=True)
class Opening:
    """One connection of the load client."""

    kind: Literal["ws", "http"]
    #: The request. `NUMBER` in it, and in `answer`, becomes six digits: the connection's number divided by `shared_by`.
    request: bytes
    #: A text within the first message that counts as a snapshot; with the marks `first`, its beginning.
    snapshot: str
    #: The text to count. With the marks `numbered`, six digits follow it, and each number must come once and in order.
    #: With `first` it is the beginning of the messages to count. With `deflated` it counts for nothing: each compressed
    #: message after the snapshot is a mark.
    mark: str
    marks: Literal["numbered", "first", "deflated"] = "numbered"
    #: The bytes to send after the handshake, and after the first message.
    hello: bytes = b""
    answer: bytes = b""
    shared_by: int = 1

    def counting(self, mark: str) -> Opening:
        """Return a copy, for a raw WebSocket, that counts messages beginning with `mark`.

        It discards all other messages unread.
        """
        return replace(self, mark=mark, marks="first")


def board_socket(board: str, query: str = "") -> Opening:
    """Return a raw WebSocket of a board."""
    request = request_bytes("GET", f"/api/v1/ws?boardId={board}{query}", _UPGRADE)
    return Opening("ws", request, '{"type":"state"', LINE_MARK)


def titles_socket(board: str, query: str = "") -> Opening:
    """Return a raw WebSocket of a board that counts titles instead of lines."""
    return replace(board_socket(board, query), mark=TITLE_MARK)


def deflated_socket(board: str) -> Opening:
    """Return a raw WebSocket of a board that offers permessage-deflate and counts compressed messages."""
    headers = [*_UPGRADE, ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")]
    request = request_bytes("GET", f"/api/v1/ws?boardId={board}", headers)
    return Opening("ws", request, '{"type":"state"', "", marks="deflated")


def board_stream(board: str) -> Opening:
    """Return a raw SSE stream of a board."""
    headers = [("Host", "127.0.0.1"), ("Accept", "text/event-stream")]
    return Opening("http", request_bytes("GET", f"/api/v1/sse?boardId={board}", headers), "event: state\n", LINE_MARK)


def graphql_socket(board: str, document: str = BOARD_STATE, shared_by: int = 1) -> Opening:
    """Return a subscription over graphql-transport-ws.

    `NUMBER` in the document is the same for `shared_by` subscribers.
    """
    headers = [*_UPGRADE, ("Sec-WebSocket-Protocol", "graphql-transport-ws")]
    payload = {"query": document, "variables": {"id": board}}
    subscribe = {"id": "1", "type": "subscribe", "payload": payload}
    request = request_bytes("GET", "/graphql", headers)
    hello, answer = _frame({"type": "connection_init"}), _frame(subscribe)
    return Opening("ws", request, '"next"', TITLE_MARK, hello=hello, answer=answer, shared_by=shared_by)


def graphql_events(board: str) -> Opening:
    """Return a subscription to all events of a board, which counts log lines."""
    return replace(graphql_socket(board, _BOARD_EVENTS), snapshot='"__typename":"State"', mark=LINE_MARK)


def _frame(message: Mapping[str, object]) -> bytes:
    """Return a text frame (RFC 6455, 5.2), masked with zeros, so that its payload is unchanged."""
    text = orjson.dumps(message)
    size = bytes((0x80 | len(text),)) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2)
    return b"\x81" + size + bytes(4) + text
