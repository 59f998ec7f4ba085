"""Cuts the connection of a client that takes nothing: one policy (send timeout) for every connection.

A slow client is not dead. A client *takes nothing* when its system has acknowledged no byte for
`--send-timeout-seconds` while bytes wait to be sent to it. The server then cuts the connection without a goodbye, which
could not reach such a client.

`WatchedConnection` applies the policy to the connections of our own server, and has the only timer for it. Under
another server the acknowledged bytes are not visible; there `send_in_time` limits each send.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

from realtime.endings import SEND_TIMEOUT, Ending
from realtime.fanout.counters import ConnectionMetrics
from server.concurrency.coalesced_timer import CoalescedTimer, coalesced_timers
from server.connection.connections import abort, connection_of
from server.settings import Settings

__all__ = [
    "MIN_BYTES_PER_SECOND",
    "Progress",
    "ProgressWatch",
    "WatchedConnection",
    "has_grown",
    "progress_of",
    "send_in_time",
    "send_timeout_of",
]

#: Slowest rate that a client needs. A closing connection gets the time to take the rest at this rate. A pong may be
#: late by the time in which the client reads, at this rate, the bytes that its system has taken.
MIN_BYTES_PER_SECOND = 16 * 1024
#: Number of checks of a connection within its send timeout. The watch counts checks instead of measuring time: when
#: this process stands still, the clients in it do too, and all clients still get the full number of checks.
LOOKS = 8
#: Seconds after which `cut_later` looks again at a stream that goes on.
AGAIN_SECONDS = 0.1
#: Send timeout of a connection before its first request.
DEFAULT_SEND_TIMEOUT_SECONDS = 30.0
#: Offset of `tcpi_bytes_acked` (64 bits) in Linux's `struct tcp_info` (linux/tcp.h; since 4.1), and the bytes to read.
_ACKED_AT, _INFO_BYTES = 120, 128

#: Two numbers: the bytes that the client's system has acknowledged since the beginning, and the negated number of bytes
#: in the write buffer. While the server writes nothing, each grows only when the client takes something. The first is 0
#: on systems that do not report it.
Progress = tuple[int, int]


def progress_of(transport: asyncio.Transport) -> Progress:
    """Return the current progress of the client."""
    return _acked_bytes(transport), -transport.get_write_buffer_size()


def has_grown(before: Progress, now: Progress) -> bool:
    """Return whether the client took something between two checks."""
    return now[0] > before[0] or now[1] > before[1]


def _acked_bytes(transport: asyncio.Transport) -> int:
    raw = transport.get_extra_info("socket")
    if raw is None or not hasattr(socket, "TCP_INFO"):
        return 0
    try:
        info: bytes = raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return 0  # the socket is closed, or is no TCP socket
    acked: int = struct.unpack_from("=Q", info, _ACKED_AT)[0] if len(info) >= _INFO_BYTES else 0
    return acked


class ProgressWatch:
    """Checks a connection while bytes wait in its write buffer, and cuts it when the client takes none of them.

    It has no timer while the buffer is empty. Call `start` when bytes wait; further calls do nothing.
    """

    __slots__ = ("_cut", "_looks", "_progress", "_seconds", "_timer", "_transport")

    def __init__(self, transport: asyncio.Transport, seconds: float, cut: Callable[[], None]) -> None:
        """Call `cut` when the client has taken nothing for `seconds`."""
        self._transport = transport
        self._seconds = seconds
        self._cut = cut
        self._timer: CoalescedTimer | None = None
        self._progress: Progress = (0, 0)
        #: Number of checks in a row in which the client took nothing.
        self._looks = 0

    def start(self) -> None:
        """Check from now on, until the write buffer is empty."""
        if self._timer is None and self._transport.get_write_buffer_size():
            self._progress = progress_of(self._transport)
            self._looks = 0
            self._look_later()

    def stop(self) -> None:
        """Stop the checks, because the connection is lost."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self) -> None:
        self._timer = coalesced_timers().set(self._seconds / LOOKS, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._transport.get_write_buffer_size():
            return
        before, self._progress = self._progress, progress_of(self._transport)
        self._looks = 0 if has_grown(before, self._progress) else self._looks + 1
        if self._looks >= LOOKS:
            self._cut()
        else:
            self._look_later()


class WatchedConnection(asyncio.Protocol):
    """Mixin for uvicorn's protocol classes that cuts the connection when the client takes nothing.

    It starts to watch when so many bytes wait that writing pauses. Call `watch_progress` where fewer may wait for long.
    """

    # No slots here: a class cannot have two bases with slots, so the subclass declares them.

    transport: asyncio.Transport
    #: Gets the reason when the connection is cut; None = no stream runs.
    metrics: ConnectionMetrics | None
    _cut: CoalescedTimer | None
    _watch: ProgressWatch | None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Make a connection as uvicorn does."""
        super().__init__(*arguments, **named)
        self.metrics = None
        self._cut = None
        self._watch = None

    @property
    def send_timeout_seconds(self) -> float:
        """Seconds after which a client that takes nothing is cut."""
        raise NotImplementedError

    @property
    def served(self) -> object | None:
        """The stream or request that is being served; None = everything for it is in the write buffer."""
        raise NotImplementedError

    def pause_writing(self) -> None:
        """Pause writing until the client has taken some bytes; cut the connection if it takes none."""
        super().pause_writing()
        self.watch_progress()

    def watch_progress(self) -> None:
        """Cut the connection if bytes wait in the write buffer and the client takes none of them."""
        if not self.transport.get_write_buffer_size():
            return
        if self._watch is None:
            self._watch = ProgressWatch(self.transport, self.send_timeout_seconds, self.cut_stalled)
        self._watch.start()

    def cut_stalled(self) -> None:
        """Cut the connection of a client that takes nothing."""
        if self.metrics is not None:
            self.metrics.close_reason = SEND_TIMEOUT
        self.abort()

    def cut_later(self, seconds: float, ending: Ending) -> None:
        """Cut the connection after `seconds`, or later while its stream goes on, if bytes wait in the write buffer.

        Only the first call counts; `ending` is the reason.
        """
        if self.metrics is not None:
            self.metrics.close_reason = ending
        if self._cut is None:
            self._cut = coalesced_timers().set(seconds, partial(self._cut_waiting, self.served))

    def _cut_waiting(self, served: object | None) -> None:
        self._cut = None
        now = self.served
        if now is not None and now is not served:
            return  # a later request on the same connection, whose token counts
        if self.transport.get_write_buffer_size():
            self.abort()
        elif now is not None:
            # The client has taken everything: this process has too much to do, and the goodbye is on its way.
            self._cut = coalesced_timers().set(AGAIN_SECONDS, partial(self._cut_waiting, served))

    def abort(self) -> None:
        """Drop the connection and its write buffer."""
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching the progress and forget the connection (asyncio's hook)."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.stop()
            self._watch = None  # it refers to this object
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None


async def send_in_time(scope: MutableMapping[str, Any], metrics: ConnectionMetrics, sending: Awaitable[None]) -> None:
    """Await `sending` for as long as the client takes something.

    Raises:
        TimeoutError: another server, which does not watch its connections, took too long to send. The connection was
            cut if that is possible, and `metrics` has the reason.
    """
    if connection_of(scope) is not None:
        await sending
        return
    try:
        async with asyncio.timeout(send_timeout_of(scope)):
            await sending
    except TimeoutError:
        metrics.close_reason = SEND_TIMEOUT
        abort(scope)
        raise


def send_timeout_of(scope: Mapping[str, Any]) -> float:
    """Return the seconds after which a client that takes nothing is cut."""
    app = scope.get("app")
    settings: Settings | None = None if app is None else app.state.settings
    # Without `app`, no application has seen a request yet.
    return DEFAULT_SEND_TIMEOUT_SECONDS if settings is None else settings.send_timeout_seconds
