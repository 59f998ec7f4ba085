"""What a server offers beyond ASGI to those who write to its connections: `scope["extensions"]`.

`"boardcast.abort"` is a function that drops the connection and what is buffered for it: a reader that takes nothing can
not be closed politely, for uvicorn waits until its buffer is empty, which never comes. Under another server the
extension is absent, and ending the response is all there is.

`"boardcast.write"` is a function that writes ready bytes, if that can be done at once: whole frames on a WebSocket,
whole chunks of the body of a response that streams. What a board's readers get is the same for all of them, and making
it is most of the cost of sending; `direct_writers` calls it. `"boardcast.frames"` does the same and waits for room.
`"boardcast.connection"` is the connection, as far as `Connection` says: it watches whether the other side takes what it
is sent (`progress`), and counts under its account why it was cut. Under another server `send_in_time` limits each send.
Under another server, or where frames are compressed for each connection, each message is sent as ASGI has it.

`"boardcast.handshake"` is there in a request that was to become a WebSocket and cannot: the fault of its handshake.
"""

from __future__ import annotations

import typing
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from realtime.fanout.counters import ConnectionMetrics
from server.settings import Settings

__all__ = [
    "CONNECTION",
    "EXTENSION",
    "FRAMES",
    "HANDSHAKE",
    "WRITE",
    "Connection",
    "Write",
    "abort",
    "connection_of",
    "extend",
    "set_metrics",
    "watch_progress",
    "write_frames",
    "writer",
]

CONNECTION = "boardcast.connection"
EXTENSION = "boardcast.abort"
FRAMES = "boardcast.frames"
HANDSHAKE = "boardcast.handshake"
WRITE = "boardcast.write"


class Connection(typing.Protocol):
    """What a connection of ours does by itself."""

    #: What is told why it was cut.
    metrics: ConnectionMetrics | None

    def watch_progress(self) -> None:
        """Cut the connection if the client takes nothing of what waits for it, if anything does."""


class Write(typing.Protocol):
    """Writes to one connection without waiting."""

    def __call__(self, *parts: bytes) -> bool:
        """Write `parts`, whole frames or chunks, behind all that was sent; False: nothing was written."""


def abort(scope: MutableMapping[str, Any]) -> None:
    """Cut the connection of `scope` where the server lets us."""
    cut: Callable[[], None] | None = scope.get("extensions", {}).get(EXTENSION)
    if cut is not None:
        cut()


def connection_of(scope: MutableMapping[str, Any]) -> Connection | None:
    """Return the connection of `scope`; None under another server."""
    connection: Connection | None = scope.get("extensions", {}).get(CONNECTION)
    return connection


def set_metrics(scope: MutableMapping[str, Any], metrics: ConnectionMetrics) -> None:
    """Tell `metrics` why the connection of `scope` was cut, if it is."""
    connection = connection_of(scope)
    if connection is not None:
        connection.metrics = metrics


def watch_progress(scope: MutableMapping[str, Any]) -> None:
    """Look now whether the client takes what waits for it; a connection does so by itself when much waits."""
    connection = connection_of(scope)
    if connection is not None:
        connection.watch_progress()


def writer(scope: MutableMapping[str, Any]) -> Write | None:
    """Return what writes to the connection of `scope`; None where the server or the operator does not let us.

    Of the order of what it writes and what is sent by ASGI, take care: it goes past every `send` that waits.
    """
    write: Write | None = _direct(scope).get(WRITE)
    return write


async def write_frames(scope: MutableMapping[str, Any], frames: bytes) -> bool:
    """Write whole text frames, in their place among what is sent otherwise; wait first until there is room.

    False: the server does not let us, and nothing was written.

    Raises:
        WebSocketDisconnect: the connection is closed, or about to be.
    """
    write: Callable[[bytes], Awaitable[bool]] | None = _direct(scope).get(FRAMES)
    return write is not None and await write(frames)


def extend(scope: Any, extensions: Mapping[str, Any]) -> None:
    """Add to the ASGI extensions of `scope`."""
    # `Any`: uvicorn's scope types know only the extensions of the standard.
    scope.setdefault("extensions", {}).update(extensions)


def _direct(scope: MutableMapping[str, Any]) -> Mapping[str, Any]:
    settings: Settings = scope["app"].state.settings
    extensions: Mapping[str, Any] = scope.get("extensions", {})
    return extensions if settings.direct_writes else {}
