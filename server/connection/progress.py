"""Whether the client takes what is sent: one policy for every connection, whatever is sent on it.

A slow client is not dead. *Takes nothing* means that the client's system has acknowledged no byte for
`--send-timeout-seconds` while something waits to be sent to it. Then the connection is cut, because a client that
takes nothing cannot be told anything.

`WatchedConnection` applies the policy to the connections of our own server, and has the only timer for it. Under
another server nobody sees the acknowledged bytes; there `send_in_time` limits each send.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from realtime.endings import SEND_TIMEOUT
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

#: What a connection that is about to end has to take, on average, to be given the time for the rest; and how fast a
#: client may be expected to read what its system took for it, which nobody else can see.
MIN_BYTES_PER_SECOND = 16 * 1024
#: How often a connection is looked at within the time after which it is cut. They are counted, rather than the time
#: measured: where this process stands still, so do readers in it, and others have their time all the same.
LOOKS = 8
#: Of a connection on which nothing was asked for yet.
DEFAULT_SEND_TIMEOUT_SECONDS = 30.0
#: Where `tcpi_bytes_acked`, 64 bits, is in Linux's `struct tcp_info` (linux/tcp.h; since 4.1).
_ACKED_AT, _INFO_BYTES = 120, 128

#: Two numbers: bytes that the other side has acknowledged since the beginning, and bytes that wait here, negated. As
#: long as nothing is written, either grows only when the other side takes something. Where the system does not tell
#: the first, it is 0.
Progress = tuple[int, int]


def progress_of(transport: asyncio.Transport) -> Progress:
    """Return how far the other side is."""
    return _acked_bytes(transport), -transport.get_write_buffer_size()


def has_grown(before: Progress, now: Progress) -> bool:
    """Tell whether the other side took something between two looks."""
    return now[0] > before[0] or now[1] > before[1]


def _acked_bytes(transport: asyncio.Transport) -> int:
    raw = transport.get_extra_info("socket")
    if raw is None or not hasattr(socket, "TCP_INFO"):
        return 0
    try:
        info: bytes = raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    except OSError:
        return 0  # closed meanwhile, or no TCP
    acked: int = struct.unpack_from("=Q", info, _ACKED_AT)[0] if len(info) >= _INFO_BYTES else 0
    return acked


class ProgressWatch:
    """Looks at a connection as long as something waits to be sent on it, and cuts it when none of it is taken.

    It costs nothing while nothing waits: `start` it when something does, any number of times.
    """

    __slots__ = ("_cut", "_looks", "_progress", "_seconds", "_timer", "_transport")

    def __init__(self, transport: asyncio.Transport, seconds: float, cut: Callable[[], None]) -> None:
        """Call `cut` when nothing was taken for `seconds`."""
        self._transport = transport
        self._seconds = seconds
        self._cut = cut
        self._timer: CoalescedTimer | None = None
        self._progress: Progress = (0, 0)
        #: How many looks in a row have found nothing taken.
        self._looks = 0

    def start(self) -> None:
        """Look from now on, until nothing waits any more."""
        if self._timer is None and self._transport.get_write_buffer_size():
            self._progress = progress_of(self._transport)
            self._looks = 0
            self._look_later()

    def stop(self) -> None:
        """Look no more: the connection is gone."""
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
    """A protocol class that cuts its connection when the client takes nothing; mixed in before one of uvicorn's.

    It watches by itself when so much waits that writing pauses. Call `watch_progress` where less may wait for long.
    """

    # No slots here, for two bases with slots cannot be joined: the class that has this as a base gives the slots.

    transport: asyncio.Transport
    #: Learns why the connection was cut; None = there is no stream to count.
    metrics: ConnectionMetrics | None
    _watch: ProgressWatch | None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Make a connection as uvicorn does."""
        super().__init__(*arguments, **named)
        self.metrics = None
        self._watch = None

    @property
    def send_timeout_seconds(self) -> float:
        """Seconds after which a client that takes nothing is cut."""
        raise NotImplementedError

    def pause_writing(self) -> None:
        """Send no more until the client has taken some; cut it if it does not."""
        super().pause_writing()
        self.watch_progress()

    def watch_progress(self) -> None:
        """Cut the connection if the client takes nothing of the bytes that wait for it, if any do."""
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

    def abort(self) -> None:
        """Drop the connection, and the bytes that wait for it."""
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.stop()
            self._watch = None  # it refers to this


async def send_in_time(scope: MutableMapping[str, Any], metrics: ConnectionMetrics, sending: Awaitable[None]) -> None:
    """Await `sending`, however long it takes while the client takes something.

    Raises:
        TimeoutError: it took too long under a server that does not watch its connections; the connection was cut
            where that is possible, and `metrics` knows why.
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
    # Before the application has seen a request.
    return DEFAULT_SEND_TIMEOUT_SECONDS if settings is None else settings.send_timeout_seconds
