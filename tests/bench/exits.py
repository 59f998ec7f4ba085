"""How the load client opens each exit: the bytes it sends, and what it looks for in those that come."""

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
    "graphql_events",
    "graphql_socket",
    "titles_socket",
]

NUMBER = "{nnnn}"
#: What stands in front of the six digits in a line of a log, on every exit.
LINE_MARK = '"message":"#'
#: What stands in front of the six digits in a card's title.
TITLE_MARK = '"title":"#'

_UPGRADE: Headers = [
    ("Host", "127.0.0.1"),
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "Ym9hcmRjYXN0LWJlbmNoIQ=="),
]

#: All that a kanban user interface shows of a board.
BOARD_STATE = """subscription ($id: ID!) { boardState(boardId: $id) {
  cursor columnOrder
  columns { id title cardIds }
  cards { id ticketKey title description ticketType isEnhanced createdAt updatedAt }
} }"""

#: What the raw exits tell of a line of a log.
_BOARD_EVENTS = """subscription ($id: ID!) { boardEvents(boardId: $id) {
  __typename ... on AttemptLog { cursor attemptId level message ts }
} }"""


@dataclass(frozen=True, slots=True)
class Opening:
    """One connection of the load client."""

    kind: Literal["ws", "http"]
    #: The request. `NUMBER` in it, and in `answer`, becomes six digits: the connection's number divided by `shared_by`.
    request: bytes
    #: What the first message that counts as a snapshot contains; begins with, where marks are not numbered.
    snapshot: str
    #: What is counted; `numbered`: six digits follow, and each number comes once and in turn; else messages begin so.
    mark: str
    numbered: bool = True
    #: Sent behind the handshake, and behind the first message that comes.
    hello: bytes = b""
    answer: bytes = b""
    shared_by: int = 1

    def counting(self, mark: str) -> Opening:
        """Return the same, a raw WebSocket, which counts messages that begin with `mark` and drops the rest unread."""
        return replace(self, mark=mark, numbered=False)


def board_socket(board: str, query: str = "") -> Opening:
    """Return a raw WebSocket of a board."""
    request = request_bytes("GET", f"/api/v1/ws?boardId={board}{query}", _UPGRADE)
    return Opening("ws", request, '{"type":"state"', LINE_MARK)


def titles_socket(board: str, query: str = "") -> Opening:
    """Return a raw WebSocket of a board, which counts titles and not lines."""
    return replace(board_socket(board, query), mark=TITLE_MARK)


def board_stream(board: str) -> Opening:
    """Return a raw SSE stream of a board."""
    headers = [("Host", "127.0.0.1"), ("Accept", "text/event-stream")]
    return Opening("http", request_bytes("GET", f"/api/v1/sse?boardId={board}", headers), "event: state\n", LINE_MARK)


def graphql_socket(board: str, document: str = BOARD_STATE, shared_by: int = 1) -> Opening:
    """Return a subscription over graphql-transport-ws; `NUMBER` in the document differs each `shared_by` readers."""
    headers = [*_UPGRADE, ("Sec-WebSocket-Protocol", "graphql-transport-ws")]
    payload = {"query": document, "variables": {"id": board}}
    subscribe = {"id": "1", "type": "subscribe", "payload": payload}
    request = request_bytes("GET", "/graphql", headers)
    hello, answer = _frame({"type": "connection_init"}), _frame(subscribe)
    return Opening("ws", request, '"next"', TITLE_MARK, hello=hello, answer=answer, shared_by=shared_by)


def graphql_events(board: str) -> Opening:
    """Return a subscription to all events of a board, which counts lines of logs."""
    return replace(graphql_socket(board, _BOARD_EVENTS), snapshot='"__typename":"State"', mark=LINE_MARK)


def _frame(message: Mapping[str, object]) -> bytes:
    """Return a text frame (RFC 6455, 5.2), masked with zeros, which changes nothing."""
    text = orjson.dumps(message)
    size = bytes((0x80 | len(text),)) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2)
    return b"\x81" + size + bytes(4) + text
