"""uvicorn's HTTP/1.1 protocol class, which cuts a client that takes nothing of its answer (`progress`)."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from realtime.counters import SEND_TIMEOUT, Account
from server.connections import CONNECTION, abort, extend, send_timeout_of
from server.progress import ProgressWatch

__all__ = ["WatchedHttp"]


class WatchedHttp(HttpToolsProtocol):
    """HTTP/1.1 over httptools; whatever the answer is, a stream or not."""

    #: What the stream that is being answered is counted under, if it is one.
    account: Account | None = None
    _watch: ProgressWatch | None = None

    def on_message_begin(self) -> None:
        """Begin a request; its scope is new."""
        super().on_message_begin()
        extend(self.scope, {CONNECTION: self})

    def pause_writing(self) -> None:
        """Send no more until the client has taken some; cut it if it does not."""
        super().pause_writing()
        self.watch_progress()

    def on_response_complete(self) -> None:
        """Look after what is left of an answer, also where it is less than what pauses a writer."""
        self.account = None
        self.watch_progress()
        super().on_response_complete()

    def watch_progress(self) -> None:
        """Cut the connection if the client takes nothing of what waits for it, if anything does."""
        if not self.transport.get_write_buffer_size():
            return
        if self._watch is None:
            self._watch = ProgressWatch(self.transport, self._send_timeout_seconds(), self._cut_stalled)
        self._watch.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def _send_timeout_seconds(self) -> float:
        cycle: RequestResponseCycle | None = self.cycle
        return send_timeout_of({} if cycle is None else cycle.scope)

    def _cut_stalled(self) -> None:
        if self.account is not None:
            self.account.leaves = SEND_TIMEOUT
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None:
            self.transport.abort()
        else:
            abort(cycle.scope)  # type: ignore[arg-type]  # a scope is a dictionary, whatever its type says
