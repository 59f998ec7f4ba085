"""HTTP/1.1 to the letter: uvicorn's protocol class with a reader of requests, bounds and deadlines of our own.

`protocol.http_requests` says what a request is; `connections` what is offered to applications beyond ASGI; and
`http_ending` how a connection ends.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Any
from urllib.parse import unquote

from server.connection.connection_limits import MAX_REFUSED, Guest, HttpLimits
from server.connection.connections import CONNECTION, EXTENSION, HANDSHAKE, WRITE
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

#: Bytes in a second that a body must have on average once it has lasted for its timeout.
MIN_BODY_RATE = 1024
#: Bytes of a body that nobody has read, up to which the connection is kept for the next request.
MAX_UNREAD_BYTES = 64 * 1024
#: Seconds for which a stream goes on when its client has closed its side; it cannot be told from one that has left.
HALF_CLOSED_SECONDS = 1.0
#: Seconds after which a client that waits with its side closed is asked again whether it is there.
PROBE_SECONDS = 0.25
#: Phases in which a client has so much time and no more.
HEAD, BODY, IDLE = "head", "body", "idle"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpConnection(EndingConnection):
    """One connection of a client, until it ends or becomes a WebSocket."""

    __slots__ = ("_body_began", "_body_bytes", "_body_seen", "_guest", "_requests", "must_close")

    def __init__(self, *arguments: Any, limits: HttpLimits | None = None, **named: Any) -> None:
        """Make a connection as uvicorn does; it keeps to `limits`."""
        super().__init__(*arguments, limits=limits, **named)
        # It refers to this connection, and reads nothing.
        self.parser = None  # type: ignore[assignment]
        self._requests = RequestParser()
        self._guest: Guest | None = None
        self._body_began = self._body_seen = 0.0
        self._body_bytes = 0
        #: Whether no other request can be read behind the present one.
        self.must_close = False

    # What the event loop calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or refuse a client that has connections enough."""
        super().connection_made(transport)
        self._guest = self.limits.admission.enter(self.client[0] if self.client else "")
        if self._guest is None:
            self._turn_away()
        else:
            self._await(HEAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection: nothing of it waits for the collector."""
        super().connection_lost(exc)
        self._requests.rest()
        self.pipeline.clear()
        if self._guest is None:
            self.limits.admission.refused -= 1
        else:
            self._guest.leave()
            self._guest = None

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self.is_ending:
            self.discard(data)
            return
        self._requests.receive(data)
        self._read_on()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Let a client that sends no more have its answer; True = the connection stays open for that."""
        if self.is_ending:
            return False
        if self._requests.is_in_body:
            self._refuse(RequestRefused(400, "expected more of the body, got the end of the connection"))
        elif self._is_answering:
            self.half_closed = True
            self.set_alarm(self._look_for_client, HALF_CLOSED_SECONDS)
            return True
        elif self._requests.has_more:
            self._refuse(RequestRefused(400, "expected the rest of a request's head, got the end of the connection"))
        return False

    def on_response_complete(self) -> None:
        """Go on with the next request."""
        self.server_state.total_requests += 1
        self.metrics = None
        # What is left of an answer may be less than what pauses a writer.
        self.watch_progress()
        cycle = self.cycle
        if self.transport.is_closing() or cycle is None:
            return
        self.flow.resume_reading()
        if cycle.is_last:
            self.finish(is_read=not self._requests.is_in_body and not self._requests.has_more)
        elif not self._requests.is_in_body:
            self._await_next()

    # How it ends

    def _refuse(self, refused: RequestRefused) -> None:
        """Answer what is no request, or is none in time; the connection ends with it."""
        # Not what came instead, which may be a secret.
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
        self._end_with(503, "expected fewer connections, come back later", {"Retry-After": "5"})
        if self.limits.admission.refused > MAX_REFUSED:
            # The descriptors for this are as few as for all else.
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
        """Read what has come, up to the end of a request that waits for its response."""
        try:
            while not self.is_ending and not self.transport.is_closing():
                if self._is_answering and not self._requests.is_in_body:
                    # One request at a time: what is sent behind it waits, most of it with the client.
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
        # Frames may follow a handshake that is refused, and are no requests.
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
        self.set_alarm(None)
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
        # A client of HTTP/1.0 may name no host; it means the one that it has connected to (RFC 9112, 3.3).
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
        self.set_alarm(None)
        self.must_close = False
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._await_next()
        else:
            cycle.more_body = False
            cycle.message_event.set()

    def _become_websocket(self, head: RequestHead) -> None:
        """Hand the connection over, with the bytes that came behind the handshake (docs/departures.md, row 13)."""
        self.set_alarm(None)
        self.is_ending = True  # as far as this is concerned
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
        """Give the client the time that `phase` may take, from the phase's beginning."""
        if phase == self.phase:
            return
        limits = self.limits
        if phase == HEAD:
            self.set_alarm(self._head_overdue, limits.head_seconds)
        elif phase == BODY:
            self.set_alarm(self._look_at_body, limits.body_seconds)
        elif self.phase != HEAD or self.cycle is not None:  # else the time of the first head runs
            self.set_alarm(self._idle_over, self.timeout_keep_alive)
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
        if self.flow.read_paused:  # it is us who wait
            self._body_began = self._body_seen = now
        late = self._body_began + seconds + self._body_bytes / MIN_BODY_RATE
        left = min(self._body_seen + seconds, late) - now
        if left > 0:
            self.set_alarm(self._look_at_body, left)
        else:
            self._refuse(RequestRefused(408, f"expected a body without pauses of {seconds:g} seconds"))

    def _look_for_client(self) -> None:
        """Find out whether the client that sends no more is still there to read."""
        self._timer = None
        cycle = self.cycle
        if cycle is None or cycle.response_complete or self.transport.is_closing():
            return
        if cycle.is_stream:
            cycle.leave()
            return
        if not cycle.response_started and cycle.scope["http_version"] == "1.1":
            # A client that has left answers with a reset, and the next write fails; others ignore it (RFC 9110, 15.2).
            self.transport.write(CONTINUE)
        self.set_alarm(self._look_for_client, PROBE_SECONDS)


def _write_chunks(cycle: Cycle, *chunks: bytes) -> bool:
    if not cycle.chunked_encoding or cycle.response_complete or cycle.disconnected:
        return False
    if cycle.flow.write_paused or cycle.transport.is_closing():
        return False
    cycle.transport.writelines(chunks)
    return True
