"""The rows of the raw WebSockets: their addresses, and each message that a client may send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.doors.rows import KNOWN, Row, needs, needs_everywhere

__all__ = ["SocketRow", "socket_rows"]

_NO_BOARD = "1008 Board not found"


@dataclass(frozen=True, kw_only=True)
class SocketRow(Row):
    """A message at an address; `name` is `WebSocket <address>` or `message <type>`."""

    target: str
    forbidden: str = "4403 Forbidden"
    #: None = nothing is sent, and the outcome is the first message.
    message: dict[str, Any] | None = None


def _messages(target: str) -> list[SocketRow]:
    read, write = needs("read"), needs("write")
    card = {"cardId": "free-alpha"}
    payloads: dict[str, dict[str, Any]] = {
        "create_card": {"columnId": "column-alpha", "title": "Made"},
        "update_card": {**card, "title": "Changed"},
        "move_card": {**card, "toColumnId": "done-alpha", "toIndex": 0},
        "delete_card": card,
    }
    wrong = {"token": "wrong"}

    def row(name: str, **more: Any) -> SocketRow:
        message = {"type": name, "payload": wrong if name == "authenticate" else payloads.get(name)}
        return SocketRow(name=f"message {name}", target=target, message=message, hidden=_NO_BOARD, **more)

    return [
        row("get_state", needs=read, granted="done"),
        row("ping", needs=read, granted="done"),
        row("pong", needs=read, granted="done"),
        row("authenticate", needs=read, granted="error unauthenticated"),
        *(row(name, needs=write, granted="done", forbidden="error forbidden", changes=True) for name in payloads),
    ]


def _of_prefix(prefix: str) -> list[SocketRow]:
    def row(name: str, target: str, **more: Any) -> SocketRow:
        return SocketRow(name=f"WebSocket {name}", target=target, **more)

    board, alias = f"{prefix}/ws?boardId=board-alpha", f"{prefix}/ws?projectId=board-alpha&delivery=changes"
    opens: Any = {"needs": needs("read"), "granted": "hello", "hidden": _NO_BOARD}
    return [
        row(f"{prefix}/ws", board, **opens),
        row(f"{prefix}/ws", alias, **opens),
        row(f"{prefix}/ws", f"{prefix}/ws", needs=KNOWN, granted="400 Missing boardId", reason="names no board"),
        row(f"{prefix}/ws/dashboard", f"{prefix}/ws/dashboard", needs=needs_everywhere("dashboard"), granted="hello"),
        row(f"{prefix}/*", f"{prefix}/nowhere", needs=KNOWN, granted="404 Not Found", reason="an unknown address"),
        *_messages(board),
    ]


def socket_rows() -> list[SocketRow]:
    """Return all rows."""
    unknown: Any = {"needs": KNOWN, "granted": "404 Not Found", "reason": "an unknown address"}
    nowhere = SocketRow(name="WebSocket /*", target="/nowhere", **unknown)
    return [*_of_prefix("/api/v1"), *_of_prefix("/api"), nowhere]
