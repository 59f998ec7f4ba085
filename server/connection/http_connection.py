"""Strict HTTP/1.1: uvicorn's protocol class with our own request parser, limits and deadlines.

`protocol.http.requests` parses requests, `connections` defines the ASGI extensions, and `http_ending` ends a
connection.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any
from urllib.parse import unquote

from server.connection.connection_limits import BUSY_SECONDS, MAX_REFUSED, Guest, HttpLimits
from server.connection.connections import CONNECTION, EXTENSION, HANDSHAKE, WRITE, write_pieces
from server.connection.http_cycle import Cycle
from server.connection.http_ending import EndingConnection
from server.connection.websocket_connection import WebSocketConnection
from server.problem import REFUSED, problem_bytes
from server.protocol.http.fields import Fields
from server.protocol.http.head import RequestHead
from server.protocol.http.refusal import RequestRefused
from server.protocol.http.requests import END, RequestParser
from server.protocol.http.websocket_handshake import VERSION, handshake_fault, is_handshake

__all__ = ["HttpConnection"]

log = logging.getLogger(__name__)

#: Least average rate of a body, in bytes a second, after the time that every body gets.
MIN_BODY_RATE = 1024
#: Most bytes of an unread body with which the connection still serves the next request.
MAX_UNREAD_BYTES = 64 * 1024
#: Seconds for which a stream continues when its client has closed its side; the client may as well have left.
HALF_CLOSED_SECONDS = 1.0
#: Seconds between two checks whether a client that has closed its side is still there.
PROBE_SECONDS = 0.25
#: Phases of a connection with a time limit.
HEAD, BODY, IDLE = "head", "body", "idle"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpConnection(EndingConnection):
    """One connection of a client, until it ends or becomes a WebSocket."""

    __slots__ = ("_body_began", "_body_bytes", "_body_seen", "_guest", "_home", "_requests", "must_close")

    def __init__(self, *arguments: Any, limits: HttpLimits | None = None, **named: Any) -> None:
        """Make a connection as uvicorn does, with `limits`."""
        super().__init__(*arguments, limits=limits, **named)
        # It refers to this connection, and reads nothing.
        self.parser = None  # type: ignore[assignment]
        self._requests = RequestParser()
        self._guest: Guest | None = None
        #: The client for which the connection counts while it serves no request.
        self._home = ""
        self._body_began = self._body_seen = 0.0
        self._body_bytes = 0
        #: Whether no other request can be read after the current one.
        self.must_close = False

    # Called by the event loop

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or refuse a client that has too many connections."""
        super().connection_made(transport)
        self._home = self.limits.admission.home_of(self.client[0] if self.client else "")
        self._guest = self.limits.admission.enter(self._home)
        if self._guest is None:
            self._turn_away()
        else:
            self._await(HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection, and leave no reference cycle to the garbage collector."""
        super().connection_lost(exc)
        self._requests.rest()
        self.pipeline.clear()
        if self._guest is None:
            self.limits.admission.refused -= 1
        else:
            self._guest.leave()
            self._guest = None

    def data_received(self, data: bytes) -> None:
        """Read requests from the next bytes of the client (asyncio's hook); a connection that ends discards them."""
        if self.is_ending:
            self.discard(data)
            return
        self._requests.receive(data)
        self._read_on()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer the last request of a client that sends no more; True = the connection stays open for that."""
        if self.is_ending:
            return False
        if self._requests.is_in_body:
            self._refuse(RequestRefused(400, "expected more of the body, got the end of the connection"))
        elif self._is_answering:
            self.half_closed = True
            self.set_timer(self._look_for_client, HALF_CLOSED_SECONDS)
            return True
        elif self._requests.has_more:
            self._refuse(RequestRefused(400, "expected the rest of a request's head, got the end of the connection"))
        return False

    def count_for(self, client: str) -> None:
        """Count the connection for the client of its request, until the response is complete.

        Raises:
            LimitReached: the client has as many connections as it may.
        """
        if self._guest is not None:
            self._guest = self._guest.move(client)

    async def room(self) -> bool:
        """Wait until the write buffer has room; False = there is room already."""
        if not self.flow.write_paused:
            return False
        await self.flow.drain()
        return True

    def on_response_complete(self) -> None:
        """Continue with the next request."""
        self.server_state.total_requests += 1
        self.metrics = None
        if self._guest is not None:
            self._guest = self._guest.move_home(self._home)
        # Watch here too: the rest of the response may be too short to pause writing, which would start the watch.
        self.watch_progress()
        cycle = self.cycle
        if self.transport.is_closing() or cycle is None:
            return
        self.flow.resume_reading()
        if cycle.is_last:
            self.finish(is_read=not self._requests.is_in_body and not self._requests.has_more)
        elif not self._requests.is_in_body:
            self._await_next()

    # End of the connection

    def _refuse(self, refused: RequestRefused) -> None:
        """Answer bytes that are no request, or a request that came too late, and end the connection."""
        # Do not log the text that came: it may be a secret.
        expected = refused.sentence.partition(", got ")[0]
        log.info("a request from %s is refused: %s", self.client[0] if self.client else "?", expected)
        cycle = self.cycle if self._requests.is_in_body else None
        if cycle is not None and not cycle.response_complete:
            cycle.scope.setdefault("extensions", {})[REFUSED] = {}
            cycle.disconnected = True
            cycle.message_event.set()
        if cycle is None or not cycle.response_started:
            headers = {"Sec-WebSocket-Version": VERSION} if refused.was_handshake else None
            self._end_with(refused.status, refused.sentence, headers)
        else:
            self.finish()

    def _end_with(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        self.transport.write(problem_bytes(status, sentence, self.server_state.default_headers, headers))
        self.finish()

    def _turn_away(self) -> None:
        self.limits.admission.refused += 1
        log.info("a connection from %s is refused: as many are open as may be", self.client[0] if self.client else "?")
        self._end_with(503, "expected fewer connections, come back later", {"Retry-After": str(BUSY_SECONDS)})
        if self.limits.admission.refused > MAX_REFUSED:
            # Close at once: refused connections use descriptors too.
            self.transport.close()

    # Reading requests

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _is_busy(self) -> bool:
        return self._is_answering or self._requests.is_in_body

    def _await_next(self) -> None:
        if self._requests.has_more:
            self._read_on()
        elif not self.half_closed:
            self._await(IDLE)
        if self.half_closed and not self._is_busy:
            self.finish(is_read=True)

    def _read_on(self) -> None:
        """Parse the buffer, up to the end of a request that waits for its response."""
        try:
            while not self.is_ending and not self.transport.is_closing():
                if self._is_answering and not self._requests.is_in_body:
                    # One request at a time: later requests wait, and backpressure keeps most of them at the client.
                    if self._requests.has_more:
                        self.flow.pause_reading()
                    return
                event = self._requests.next()
                if event is None:
                    self._await(BODY if self._requests.is_in_body else HEAD if self._requests.has_more else IDLE)
                    return
                if isinstance(event, RequestHead):
                    self._begin(event)
                elif event is END:
                    self._end_body()
                else:
                    self._take_body(event)
        except RequestRefused as refused:
            self._refuse(refused)

    def _begin(self, head: RequestHead) -> None:
        is_upgrade = is_handshake(head)
        fault = handshake_fault(head) if is_upgrade else None
        if is_upgrade and fault is None:
            self._become_websocket(head)
            return
        # After a refused handshake the client may send frames, which are no requests.
        self.must_close = fault is not None or head.length is None or head.length > MAX_UNREAD_BYTES
        self.must_close = self.must_close or head.expects_continue
        scope = self.scope = self._scope_of(head)
        cycle = self.cycle = Cycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=head.expects_continue,
            keep_alive=head.keep_alive and fault is None,
            on_response=self.on_response_complete,
        )
        cycle.belong_to(self)
        extensions = {EXTENSION: self.abort, CONNECTION: self, WRITE: partial(_write_chunks, cycle)}
        scope["extensions"] = extensions if fault is None else {**extensions, HANDSHAKE: fault}
        self._body_bytes, self._body_began = 0, self.loop.time()
        self._body_seen = self._body_began
        self.set_timer(None)
        self._start_asgi_task(cycle, self.app)

    def _scope_of(self, head: RequestHead) -> Any:
        path = head.path.decode("ascii")
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": head.version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": head.method,
            "root_path": self.root_path,
            "path": self.root_path + (unquote(path) if "%" in path else path),
            "raw_path": self.root_path.encode("ascii") + head.path,
            "query_string": head.query,
            "headers": self._headers_of(head),
            "state": self.app_state.copy(),
        }

    def _headers_of(self, head: RequestHead) -> Fields:
        if head.version == "1.1" or head.header(b"host") is not None or self.server is None:
            return head.headers
        # A client of HTTP/1.0 may send no Host header; then the host is the address that it has connected to (RFC 9112,
        # 3.3).
        host, port = self.server
        name = f"[{host}]" if ":" in host else host
        return [(b"host", f"{name}:{port}".encode("ascii")), *head.headers]

    def _take_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._body_seen = self.loop.time()
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > MAX_UNREAD_BYTES:
            self.flow.pause_reading()
        cycle.message_event.set()

    def _end_body(self) -> None:
        self.set_timer(None)
        self.must_close = False
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._await_next()
        else:
            cycle.more_body = False
            cycle.message_event.set()

    def _become_websocket(self, head: RequestHead) -> None:
        """Pass the connection and the bytes after the handshake to a WebSocket (docs/departures.md, row 13)."""
        self.set_timer(None)
        self.is_ending = True  # this object reads nothing more
        self.connections.discard(self)
        protocol = self.ws_protocol_class(  # type: ignore[call-arg, misc]
            config=self.config, server_state=self.server_state, app_state=self.app_state
        )
        rest = self._requests.rest()
        protocol.connection_made(self.transport)
        self.transport.set_protocol(protocol)
        if isinstance(protocol, WebSocketConnection):
            guest, self._guest = self._guest, None
            protocol.begin(head, rest, guest)

    # Deadlines

    def _await(self, phase: str) -> None:
        """Start the time limit of `phase`; if the phase has begun before, its time goes on."""
        if phase == self.phase:
            return
        limits = self.limits
        if phase == HEAD:
            self.set_timer(self._head_overdue, limits.head_seconds)
        elif phase == BODY:
            self.set_timer(self._look_at_body, limits.body_seconds)
        elif self.phase != HEAD or self.cycle is not None:  # otherwise the time limit of the first head goes on
            self.set_timer(self._idle_over, self.timeout_keep_alive)
        self.phase = phase

    def _head_overdue(self) -> None:
        self._timer = None
        if self._requests.has_more:
            seconds = self.limits.head_seconds
            self._refuse(RequestRefused(408, f"expected the head of a request within {seconds:g} seconds"))
        else:
            self._idle_over()

    def _idle_over(self) -> None:
        self._timer = None
        self.finish() if self.transport.get_write_buffer_size() else self.transport.close()

    def _look_at_body(self) -> None:
        self._timer = None
        now, seconds = self.loop.time(), self.limits.body_seconds
        if self.flow.read_paused:  # the server has paused reading, so the client cannot send
            self._body_began = self._body_seen = now
        late = self._body_began + seconds + self._body_bytes / MIN_BODY_RATE
        left = min(self._body_seen + seconds, late) - now
        if left > 0:
            self.set_timer(self._look_at_body, left)
        else:
            self._refuse(RequestRefused(408, f"expected a body without pauses of {seconds:g} seconds"))

    def _look_for_client(self) -> None:
        """Check whether a client that has closed its side is still there to read."""
        self._timer = None
        cycle = self.cycle
        if cycle is None or cycle.response_complete or self.transport.is_closing():
            return
        if cycle.is_stream:
            cycle.leave()
            return
        if not cycle.response_started and cycle.scope["http_version"] == "1.1":
            # The system of a client that has left answers with a reset, so the next write fails. Other clients ignore
            # the interim response (RFC 9110, 15.2).
            self.transport.write(CONTINUE)
        self.set_timer(self._look_for_client, PROBE_SECONDS)


def _write_chunks(cycle: Cycle, *chunks: bytes) -> bool:
    if not cycle.chunked_encoding or cycle.response_complete or cycle.disconnected:
        return False
    if cycle.flow.write_paused or cycle.transport.is_closing():
        return False
    write_pieces(cycle.transport, chunks)
    return True
