"""Whether the other side takes what is sent: one policy for every connection, whatever is sent on it.

A reader that is slow is not dead. *Takes nothing* means that the other side's system has acknowledged no byte for
`--send-timeout-seconds` while something waits to be sent to it. Then the connection is cut, because a reader that
takes nothing cannot be told anything.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from server.concurrency.coalesced_timer import CoalescedTimer, coalesced_timers

__all__ = ["MIN_BYTES_PER_SECOND", "Progress", "ProgressWatch", "has_grown", "progress_of"]

#: What a connection that is about to end has to take, on average, to be given the time for the rest; and how fast a
#: client may be expected to read what its system took for it, which nobody else can see.
MIN_BYTES_PER_SECOND = 16 * 1024
#: How often a connection is looked at within the time after which it is cut. They are counted, rather than the time
#: measured: where this process stands still, so do readers in it, and others have their time all the same.
LOOKS = 8
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
