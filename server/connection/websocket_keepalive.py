"""Whether the client of a WebSocket is there: by its pongs, by what it takes, and by how it leaves.

A client that takes what it is sent is there, however slowly; `progress` says when one takes nothing. Pings find those
for which nothing waits. A ping waits behind all that was sent before it, so it is overdue only when the client had the
time to come to it.
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

#: Seconds for a client to answer a close frame, or to leave; more where much waits to be taken before.
CLOSE_SECONDS = 5.0
_NONE: Progress = (0, 0)


class Keepalive(WatchedConnection, FrameReader):
    """The part of a connection that ends it when nobody is on the other side."""

    __slots__ = (
        "_acked_at_ping",
        "_close_by",
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
        #: When the connection is cut if it has not ended by then, once it is about to.
        self._close_by = 0.0
        #: How far the client was when it was looked at last, while a pong is due.
        self._progress: Progress = _NONE
        #: What the client's system had taken when the last ping was sent.
        self._acked_at_ping = 0
        #: What of it the client has surely read: it has answered a ping that came behind.
        self._read_bytes = 0

    @property
    def send_timeout_seconds(self) -> float:
        """As the settings say."""
        return send_timeout_of(self.scope)

    def cut_stalled(self) -> None:
        """Cut the connection of a client that takes nothing; behind a close frame it has ended for another reason."""
        if self.close_sent:
            self.abort()
        else:
            super().cut_stalled()

    def schedule_ping(self) -> None:
        """Ping after a while, as uvicorn does; by an alarm."""
        if self.ping_interval is not None:
            seconds = max(0.0, self.ping_interval - self.last_ping_rtt)
            self.ping_timer = coalesced_timers().set(seconds, self.send_keepalive_ping)  # type: ignore[assignment]  # can cancel

    def send_keepalive_ping(self) -> None:
        """Ping; what waits to be taken may be less than what pauses a writer, and is looked after from here."""
        self.watch_progress()
        self._progress = progress_of(self.transport)
        self._acked_at_ping = self._progress[0]
        super().send_keepalive_ping()

    def handle_pong(self, event: Frame) -> None:
        """Take a pong; if it is the one that is due, all that was sent before its ping was read."""
        was_due = self.pending_ping_payload is not None
        super().handle_pong(event)
        if was_due and self.pending_ping_payload is None:
            self._read_bytes = self._acked_at_ping
            self._progress = _NONE

    def keepalive_timeout(self) -> None:
        """Look at a ping whose pong is overdue: close, unless the client is on its way to it."""
        self.pong_timer = None
        if self.close_sent or self.transport.is_closing():
            return
        seconds = self._patience_seconds()
        if seconds > 0:
            self.pong_timer = coalesced_timers().set(seconds, self.keepalive_timeout)  # type: ignore[assignment]  # can cancel
        else:
            self._fail_silent()

    def _patience_seconds(self) -> float:
        """Return for how many seconds more a pong may take."""
        before, self._progress = self._progress, progress_of(self.transport)
        if self.read_paused or has_grown(before, self._progress):
            return self.ping_timeout or 0.0  # it may have come, and we do not read; or the client takes what we sent
        # Its system may have taken much that the client itself has yet to read, and nobody sees it reading.
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
        """Answer a close frame, or take the answer to ours; a client that takes no more of the rest is cut."""
        super().handle_close(event)
        self.close_later()

    def send_close(self, code: int, reason: str) -> None:
        """Begin to close, behind what was sent, and without waiting until there is room: it is one small frame."""
        try:
            self.conn.send_close(code, reason)
        except InvalidState:
            return  # the client was faster
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._read_if_wanted()
        self.close_later()

    def close_later(self) -> None:
        """Close when the client has had the time to take what was sent, and to answer the close frame."""
        if self.close_timer is None and not self.disconnected:
            self.watch_progress()
            waiting = self.transport.get_write_buffer_size()
            self._close_by = self.loop.time() + CLOSE_SECONDS + waiting / MIN_BYTES_PER_SECOND
            self._look_at_end_later()

    def _look_at_end_later(self) -> None:
        # uvicorn's own name: while there is one, it leaves the connection open behind the application's end.
        self.close_timer = coalesced_timers().set(CLOSE_SECONDS, self._look_at_end)  # type: ignore[assignment]  # can cancel

    def _look_at_end(self) -> None:
        self.close_timer = None
        if not self.transport.get_write_buffer_size():
            self.transport.close()  # what the system holds may still be on its way
        elif self.loop.time() < self._close_by:
            self._look_at_end_later()
        else:
            self.transport.abort()

    def shutdown(self) -> None:
        """End the connection with the server."""
        if self.handshake_complete and self.conn.state is not State.OPEN:
            self.stop_keepalive()
            self.transport.close()  # it is about to end already
        else:
            super().shutdown()
