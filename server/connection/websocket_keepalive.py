"""Detects WebSocket clients that are gone: by missing pongs, by a client that takes nothing, and when closing.

A client that takes bytes is there, however slowly it does; `progress` cuts a client that takes none. Pings find lost
clients for which no bytes wait. A ping arrives after all earlier bytes, so a pong is overdue only when the client had
the time to read these bytes.
"""

from __future__ import annotations

from typing import Any

from websockets.exceptions import InvalidState
from websockets.frames import Frame
from websockets.protocol import State

from realtime.endings import PING_TIMEOUT
from server.concurrency.coalesced_timer import coalesced_timers
from server.connection.progress import (
    MIN_BYTES_PER_SECOND,
    Progress,
    WatchedConnection,
    has_grown,
    progress_of,
    send_timeout_of,
)
from server.connection.websocket_frames import FrameReader

__all__ = ["CLOSE_SECONDS", "Keepalive"]

#: Seconds for a client to answer a close frame or to leave; it gets more when many bytes wait before the frame.
CLOSE_SECONDS = 5.0
_NONE: Progress = (0, 0)


class Keepalive(WatchedConnection, FrameReader):
    """The part of a connection that ends it when the client is gone."""

    __slots__ = (
        "_acked_at_ping",
        "_close_by",
        "_cut",
        "_progress",
        "_read_bytes",
        "_watch",
        "close_sent",
        "close_timeout",
        "close_timer",
        "last_ping_rtt",
        "metrics",
        "pending_ping_payload",
        "ping_interval",
        "ping_sent_at",
        "ping_timeout",
        "ping_timer",
        "pong_timer",
    )

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Make a connection as uvicorn does."""
        super().__init__(*arguments, **named)
        #: Time at which a closing connection is cut if it has not ended.
        self._close_by = 0.0
        #: Progress of the client at the last check, while a pong is due.
        self._progress: Progress = _NONE
        #: Bytes that the client's system had acknowledged when the last ping was sent.
        self._acked_at_ping = 0
        #: Bytes that the client has certainly read: it has answered a ping that was sent after them.
        self._read_bytes = 0

    @property
    def send_timeout_seconds(self) -> float:
        """The time from the settings."""
        return send_timeout_of(self.scope)

    @property
    def served(self) -> object | None:
        """The socket; None = it is closing."""
        return None if self.close_sent or self.transport.is_closing() else self.conn

    def cut_stalled(self) -> None:
        """Cut the connection of a client that takes nothing; after a close frame, the reason is already counted."""
        if self.close_sent:
            self.abort()
        else:
            super().cut_stalled()

    def schedule_ping(self) -> None:
        """Ping later, as uvicorn does, but with a coalesced timer."""
        if self.ping_interval is not None:
            seconds = max(0.0, self.ping_interval - self.last_ping_rtt)
            self.ping_timer = coalesced_timers().set(seconds, self.send_keepalive_ping)  # type: ignore[assignment]  # can cancel

    def send_keepalive_ping(self) -> None:
        """Send a ping, and watch the progress from now on, also when too few bytes wait to pause writing."""
        self.watch_progress()
        self._progress = progress_of(self.transport)
        self._acked_at_ping = self._progress[0]
        super().send_keepalive_ping()

    def handle_pong(self, event: Frame) -> None:
        """Handle a pong. If it answers the last ping, the client has read everything that was sent before that ping."""
        was_due = self.pending_ping_payload is not None
        super().handle_pong(event)
        if was_due and self.pending_ping_payload is None:
            self._read_bytes = self._acked_at_ping
            self._progress = _NONE

    def keepalive_timeout(self) -> None:
        """Handle an overdue pong: close, unless the client still reads the bytes before the ping."""
        self.pong_timer = None
        if self.close_sent or self.transport.is_closing():
            return
        seconds = self._pong_wait_seconds()
        if seconds > 0:
            self.pong_timer = coalesced_timers().set(seconds, self.keepalive_timeout)  # type: ignore[assignment]  # can cancel
        else:
            self._fail_silent()

    def _pong_wait_seconds(self) -> float:
        """Return how many seconds more the pong may take."""
        before, self._progress = self._progress, progress_of(self.transport)
        if self.read_paused or has_grown(before, self._progress):
            # The pong may have come while reading is paused, or the client still takes bytes before the ping.
            return self.ping_timeout or 0.0
        # The client may still read bytes that its system has taken; the server cannot see that.
        unread = max(0, self._progress[0] - self._read_bytes)
        due = self.ping_sent_at + (self.ping_timeout or 0.0) + unread / MIN_BYTES_PER_SECOND
        return due - self.loop.time()

    def _fail_silent(self) -> None:
        if self.metrics is not None:
            self.metrics.close_reason = PING_TIMEOUT
        self.pending_ping_payload = None
        self.conn.fail(*PING_TIMEOUT.frame())
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
        self.close_later()

    def handle_close(self, event: Frame) -> None:
        """Answer a close frame, or accept the answer to ours; cut the connection if the client takes nothing more."""
        super().handle_close(event)
        self.close_later()

    def send_close(self, code: int, reason: str) -> None:
        """Send a close frame after all earlier bytes. It is small, so it does not wait for room in the buffer."""
        try:
            self.conn.send_close(code, reason)
        except InvalidState:
            return  # the client has closed first
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._read_if_wanted()
        self.close_later()

    def close_later(self) -> None:
        """Close when the client has had the time to take all bytes and to answer the close frame."""
        if self.close_timer is None and not self.disconnected:
            self.watch_progress()
            waiting = self.transport.get_write_buffer_size()
            self._close_by = self.loop.time() + CLOSE_SECONDS + waiting / MIN_BYTES_PER_SECOND
            self._look_at_end_later()

    def _look_at_end_later(self) -> None:
        # The attribute is uvicorn's: while it is set, uvicorn leaves the connection open after the application returns.
        self.close_timer = coalesced_timers().set(CLOSE_SECONDS, self._look_at_end)  # type: ignore[assignment]  # can cancel

    def _look_at_end(self) -> None:
        self.close_timer = None
        if not self.transport.get_write_buffer_size():
            self.transport.close()  # not `abort`: the system may still hold bytes to send
        elif self.loop.time() < self._close_by:
            self._look_at_end_later()
        else:
            self.transport.abort()

    def shutdown(self) -> None:
        """End the connection because the server stops."""
        if self.handshake_complete and self.conn.state is not State.OPEN:
            self.stop_keepalive()
            self.transport.close()  # the connection is closing already
        else:
            super().shutdown()
