"""uvicorn's HTTP/1.1 protocol class, which cuts a client that takes nothing of its answer (`progress`)."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from realtime.endings import SEND_TIMEOUT
from realtime.fanout.counters import ConnectionMetrics
from server.connection.connections import send_timeout_of
from server.connection.progress import ProgressWatch

__all__ = ["WatchedHttp"]


class WatchedHttp(HttpToolsProtocol):
    """HTTP/1.1; whatever the answer is, a stream or not."""

    # In slots, because uvicorn's own fill the dictionary that instances can share.
    __slots__ = ("_watch", "metrics")

    def __init__(self, *arguments: object, **named: object) -> None:
        """Make a connection as uvicorn does."""
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        #: What the stream that is being answered is counted under, if it is one.
        self.metrics: ConnectionMetrics | None = None
        self._watch: ProgressWatch | None = None

    def pause_writing(self) -> None:
        """Send no more until the client has taken some; cut it if it does not."""
        super().pause_writing()
        self.watch_progress()

    def watch_progress(self) -> None:
        """Cut the connection if the client takes nothing of what waits for it, if anything does."""
        if not self.transport.get_write_buffer_size():
            return
        if self._watch is None:
            self._watch = ProgressWatch(self.transport, self.send_timeout_seconds, self._cut_stalled)
        self._watch.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    @property
    def send_timeout_seconds(self) -> float:
        """Seconds after which a client that takes nothing is cut."""
        cycle: RequestResponseCycle | None = self.cycle
        return send_timeout_of({} if cycle is None else cycle.scope)

    def abort(self) -> None:
        """Drop the connection, and what is buffered for it."""
        self.transport.abort()
        # uvicorn learns of it a turn later, and would log meanwhile that the response was not completed.
        if self.cycle is not None:
            self.cycle.disconnected = True

    def _cut_stalled(self) -> None:
        if self.metrics is not None:
            self.metrics.close_reason = SEND_TIMEOUT
        self.abort()
