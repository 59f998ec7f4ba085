"""Ends an HTTP connection so that the last response arrives, and without waiting longer than necessary.

If the server closes a connection while the client still sends, the client loses the response that it has not read yet
(RFC 9112, 9.6). If the server waits for a client that reads nothing, the connection stays open for ever.
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

#: A connection that ends still reads for so many seconds and bytes: if it closed at once, a client that is still
#: sending would lose the last response (RFC 9112, 9.6).
LINGER_SECONDS, LINGER_BYTES = 2.0, 16 * 1024 * 1024


class EndingConnection(WatchedConnection, HttpToolsProtocol):
    """uvicorn's protocol class with a careful end (`finish`) and one timer."""

    # Slots, because uvicorn's own attributes fill the dictionary whose keys instances share.
    __slots__ = (
        "_cut",
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
        """Make a connection as uvicorn does, with `limits`."""
        super().__init__(*arguments, **named)
        self.limits = limits or HttpLimits()
        #: Whether the client has closed its side and sends no more.
        self.half_closed = False
        #: Whether the connection discards all further bytes.
        self.is_ending = False
        #: The phase that the timer limits; empty = the timer has another purpose.
        self.phase = ""
        self._timer: CoalescedTimer | None = None
        self._discarded = 0

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timer and forget the connection (asyncio's hook); `exc` None = it was closed in order."""
        super().connection_lost(exc)
        self.set_timer(None)

    @property
    def send_timeout_seconds(self) -> float:
        """The time from the settings, also when no application has seen a request."""
        if self.cycle is None or "app" not in self.cycle.scope:
            return self.limits.send_seconds
        return send_timeout_of(self.cycle.scope)

    @property
    def served(self) -> object | None:
        """The cycle of the request; None = there is none, or its response is complete."""
        return None if self.cycle is None or self.cycle.response_complete else self.cycle

    def abort(self) -> None:
        """Drop the connection and its write buffer."""
        super().abort()
        # uvicorn learns this one loop iteration later; until then it would log that the response was not completed.
        if self.cycle is not None:
            self.cycle.disconnected = True

    def shutdown(self) -> None:
        """Accept no more requests; an open response may end, if its client takes it in time."""
        super().shutdown()
        if self.cycle is None or self.cycle.response_complete:
            self.watch_progress()

    def set_timer(self, call: Callable[[], object] | None, seconds: float = 0.0) -> None:
        """Call `call` after `seconds`; this replaces the earlier call. None = only cancel the earlier call."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if call is None else coalesced_timers().set(seconds, call)
        self.phase = ""

    def finish(self, *, is_read: bool = False) -> None:
        """End the connection: send the write buffer, then read for a while, so that the client can read the response.

        `is_read`: the server has read everything that the client has sent, and the client sends nothing more.
        """
        if self.is_ending or self.transport.is_closing():
            return
        self.is_ending = True
        if is_read or self.half_closed or not self.transport.can_write_eof():
            self.transport.close()
        else:
            self.transport.write_eof()
            self.flow.resume_reading()
            self.set_timer(self._linger_over, LINGER_SECONDS)
        self.watch_progress()

    def _linger_over(self) -> None:
        if not self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.set_timer(self._linger_over, LINGER_SECONDS)

    def discard(self, data: bytes) -> None:
        """Discard bytes that come while the connection ends."""
        self._discarded += len(data)
        if self._discarded > LINGER_BYTES:
            self.transport.abort()
