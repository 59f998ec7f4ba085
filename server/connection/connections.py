"""The ASGI extensions of our server, in `scope["extensions"]`, for code that writes to connections.

- `"boardcast.abort"` is a function that drops the connection and its write buffer. A connection whose client takes
  nothing cannot be closed in the usual way: uvicorn waits for an empty buffer for ever.
- `"boardcast.write"` is a function that writes ready bytes if it can do so without waiting: whole frames on a
  WebSocket, or whole chunks of a streamed body. All subscribers of a board get the same bytes, and making them is most
  of the cost of sending. `direct_writers` calls this function.
- `"boardcast.frames"` writes ready frames too, but waits until the write buffer has room.
- `"boardcast.connection"` is the connection as a `Connection`: it cuts a client that takes nothing (`progress`), counts
  the reason in its metrics, and counts itself for its client.
- `"boardcast.handshake"` is the fault of a WebSocket handshake that the server refuses.

Under another server these extensions are absent. Then `send_in_time` limits each send, a connection can only end with
its response, and each message is sent by ASGI.
"""

from __future__ import annotations

import asyncio
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

from realtime.endings import Ending, ending_of
from realtime.fanout.counters import ConnectionMetrics
from realtime.lifetimes.goodbyes import Goodbye
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
    "count_for",
    "cut_in_time",
    "deflates",
    "extend",
    "set_metrics",
    "watch_progress",
    "write_chunk",
    "write_frames",
    "write_pieces",
    "writer",
]

CONNECTION = "boardcast.connection"
EXTENSION = "boardcast.abort"
FRAMES = "boardcast.frames"
HANDSHAKE = "boardcast.handshake"
WRITE = "boardcast.write"


class Connection(typing.Protocol):
    """The part of a connection of our server that other modules use."""

    #: Gets the reason when the connection is cut; None = nothing counts it.
    metrics: ConnectionMetrics | None

    @property
    def deflates(self) -> bool:
        """Whether a WebSocket takes compressed frames."""

    async def room(self) -> bool:
        """Wait until the write buffer of a response has room; False = there is room, so a refused write has an end."""

    def watch_progress(self) -> None:
        """Cut the connection if bytes wait in the write buffer and the client takes none of them."""

    def cut_later(self, seconds: float, ending: Ending) -> None:
        """Cut the connection after `seconds`, with the reason `ending`, unless its client takes what waits."""

    def count_for(self, client: str) -> None:
        """Count the connection for `client`, of HTTP until the response is complete.

        Raises:
            LimitReached: the client has as many connections as it may.
        """


class Write(typing.Protocol):
    """Writes to one connection without waiting."""

    def __call__(self, *parts: bytes) -> bool:
        """Write `parts`, whole frames or chunks, after all earlier bytes; False = nothing was written."""


def abort(scope: MutableMapping[str, Any]) -> None:
    """Cut the connection of `scope`; under another server this does nothing."""
    cut: Callable[[], None] | None = scope.get("extensions", {}).get(EXTENSION)
    if cut is not None:
        cut()


def connection_of(scope: MutableMapping[str, Any]) -> Connection | None:
    """Return the connection of `scope`; None under another server."""
    connection: Connection | None = scope.get("extensions", {}).get(CONNECTION)
    return connection


def count_for(scope: MutableMapping[str, Any], client: str) -> None:
    """Count the connection of `scope` for the client of its request (`connection_limits`).

    Raises:
        LimitReached: the client has as many connections as it may.
    """
    connection = connection_of(scope)
    if connection is not None:
        connection.count_for(client)


def cut_in_time(scope: MutableMapping[str, Any], goodbye: Goodbye) -> None:
    """Limit the time that the connection of `scope` may take for `goodbye`, if there is a limit.

    A client that takes nothing would keep the connection open, and later get what waits for it.
    """
    connection = connection_of(scope)
    if connection is not None and goodbye.cut_seconds is not None:
        connection.cut_later(goodbye.cut_seconds, ending_of(goodbye.reason))


def set_metrics(scope: MutableMapping[str, Any], metrics: ConnectionMetrics) -> None:
    """Store the reason in `metrics` when the connection of `scope` is cut."""
    connection = connection_of(scope)
    if connection is not None:
        connection.metrics = metrics


def watch_progress(scope: MutableMapping[str, Any]) -> None:
    """Watch from now on whether the client takes the waiting bytes.

    A connection starts this by itself when so many bytes wait that writing pauses.
    """
    connection = connection_of(scope)
    if connection is not None:
        connection.watch_progress()


def writer(scope: MutableMapping[str, Any]) -> Write | None:
    """Return the direct writer of the connection of `scope`.

    None = under another server, or when the operator has switched direct writes off. The caller must keep the order: a
    direct write overtakes every ASGI `send` that waits.
    """
    write: Write | None = _direct(scope).get(WRITE)
    return write


async def write_chunk(scope: MutableMapping[str, Any], chunk: bytes) -> bool:
    """Wait until the write buffer has room, then write a whole chunk of a streamed body, in order with all others.

    Nothing else is written between the write and the return. False = the connection has no direct writer, or the client
    has left.
    """
    write, connection = writer(scope), connection_of(scope)
    if write is None or connection is None:
        return False
    while not write(chunk):
        if not await connection.room():
            return False
    return True


async def write_frames(scope: MutableMapping[str, Any], frames: bytes) -> bool:
    """Wait until the write buffer has room, then write whole text frames, in order with all other messages.

    False = the server has no such extension, or the operator has switched it off; nothing was written.

    Raises:
        WebSocketDisconnect: the connection is closed or closing.
    """
    write: Callable[[bytes], Awaitable[bool]] | None = _direct(scope).get(FRAMES)
    return write is not None and await write(frames)


def write_pieces(transport: asyncio.Transport, pieces: Iterable[bytes]) -> None:
    """Write `pieces` one after the other.

    `writelines` of asyncio does not tell the protocol to pause in Python 3.12.0 to 3.12.8, 3.13.0 and 3.13.1
    (CVE-2024-12254). Then a client that reads nothing makes the write buffer grow without a bound.
    """
    for piece in pieces:
        transport.write(piece)


def deflates(scope: MutableMapping[str, Any]) -> bool:
    """Return whether the WebSocket of `scope` takes compressed frames; under another server, that server knows."""
    connection = connection_of(scope)
    return connection is not None and connection.deflates


def extend(scope: Any, extensions: Mapping[str, Any]) -> None:
    """Add `extensions` to the ASGI extensions of `scope`."""
    # `Any`: uvicorn's types of a scope know only the standard extensions.
    scope.setdefault("extensions", {}).update(extensions)


def _direct(scope: MutableMapping[str, Any]) -> Mapping[str, Any]:
    settings: Settings = scope["app"].state.settings
    extensions: Mapping[str, Any] = scope.get("extensions", {})
    return extensions if settings.direct_writes else {}
