"""How a connection over HTTP ends: so that its last response arrives, and not later than it must.

A connection that is closed while its client still sends takes away what the client has not read (RFC 9112, 9.6); and
one that is closed politely stays for ever when the client reads nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server.concurrency.coalesced_timer import CoalescedTimer, coalesced_timers
from server.connection.connection_limits import HttpLimits
from server.connection.http_cycle import Cycle
from server.connection.progress import WatchedConnection, send_timeout_of

__all__ = ["EndingConnection"]

#: Seconds, and bytes, for which a connection that ends still reads: closed at once, it would take the last response
#: away from a client that is still sending (RFC 9112, 9.6).
LINGER_SECONDS, LINGER_BYTES = 2.0, 16 * 1024 * 1024


class EndingConnection(WatchedConnection, HttpToolsProtocol):
    """uvicorn's protocol class, which closes by `finish`, and has one time at which something is to happen."""

    # In slots, because uvicorn's own fill the dictionary that instances can share.
    __slots__ = (
        "_discarded",
        "_timer",
        "_watch",
        "half_closed",
        "is_ending",
        "limits",
        "metrics",
        "phase",
    )

    cycle: Cycle | None  # type: ignore[assignment]

    def __init__(self, *arguments: Any, limits: HttpLimits | None = None, **named: Any) -> None:
        """Make a connection as uvicorn does; it keeps to `limits`."""
        super().__init__(*arguments, **named)
        self.limits = limits or HttpLimits()
        #: Whether the client has said that it sends no more.
        self.half_closed = False
        #: Whether nothing more is read but to be forgotten.
        self.is_ending = False
        #: The phase that the alarm is for, empty for another.
        self.phase = ""
        self._timer: CoalescedTimer | None = None
        self._discarded = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self.set_alarm(None)

    @property
    def send_timeout_seconds(self) -> float:
        """As the settings say, also when no application has seen a request."""
        if self.cycle is None or "app" not in self.cycle.scope:
            return self.limits.send_seconds
        return send_timeout_of(self.cycle.scope)

    def abort(self) -> None:
        """Drop the connection, and the bytes that wait for it."""
        super().abort()
        # uvicorn learns of it a turn later, and would log meanwhile that the response was not completed.
        if self.cycle is not None:
            self.cycle.disconnected = True

    def shutdown(self) -> None:
        """Take no more requests."""
        super().shutdown()
        if self.cycle is None or self.cycle.response_complete:
            self.watch_progress()

    def set_alarm(self, call: Callable[[], object] | None, seconds: float = 0.0) -> None:
        """Call `call`, if it is given, in so many seconds, and what was to be called no longer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if call is None else coalesced_timers().set(seconds, call)
        self.phase = ""

    def finish(self, *, is_read: bool = False) -> None:
        """End the connection: send what was written, then read on for a while, so that the client can read it.

        `is_read`: all that the client has sent was read, and it has nothing more to send.
        """
        if self.is_ending or self.transport.is_closing():
            return
        self.is_ending = True
        if is_read or self.half_closed or not self.transport.can_write_eof():
            self.transport.close()
        else:
            self.transport.write_eof()
            self.flow.resume_reading()
            self.set_alarm(self._linger_over, LINGER_SECONDS)
        self.watch_progress()

    def _linger_over(self) -> None:
        if not self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.set_alarm(self._linger_over, LINGER_SECONDS)

    def discard(self, data: bytes) -> None:
        """Take what comes while the connection ends."""
        self._discarded += len(data)
        if self._discarded > LINGER_BYTES:
            self.transport.abort()
