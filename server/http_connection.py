"""uvicorn's HTTP/1.1 protocol class, with what it leaves out; `connections` says what it offers beyond ASGI."""

from __future__ import annotations

import sys
from functools import partial

import httptools
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from server.connections import EXTENSION, WRITE, extend
from server.http_progress import WatchedHttp
from server.problem import problem
from server.websocket_connection import WebSocketConnection

__all__ = ["HttpConnection"]


class HttpConnection(WatchedHttp):
    """HTTP/1.1 over httptools; what came behind the head of an upgrade is the WebSocket's."""

    _segment = b""

    def on_message_begin(self) -> None:
        """Begin a request; its scope is new."""
        super().on_message_begin()
        extend(self.scope, {EXTENSION: self._abort})

    def on_headers_complete(self) -> None:
        """Offer to write to the response, when there is to be one."""
        super().on_headers_complete()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.scope is self.scope:  # else it is an upgrade
            extend(self.scope, {WRITE: partial(_write_chunks, cycle)})

    def data_received(self, data: bytes) -> None:
        """Keep the segment for as long as it is parsed."""
        self._segment = data
        super().data_received(data)
        self._segment = b""

    def handle_websocket_upgrade(self) -> None:
        """Hand over, with the bytes that uvicorn would drop (contract §8, row 13)."""
        upgrade = sys.exc_info()[1]  # uvicorn calls this while it handles the parser's exception
        super().handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        if isinstance(upgrade, httptools.HttpParserUpgrade) and isinstance(protocol, WebSocketConnection):
            protocol.data_received(self._segment[upgrade.args[0] :])

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as every other error is answered."""
        refusal = problem(400, msg, headers={"Connection": "close"})
        head = b"".join(b"%b: %b\r\n" % pair for pair in refusal.raw_headers)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%b\r\n%b" % (head, bytes(refusal.body)))
        self.transport.close()

    def _abort(self) -> None:
        self.transport.abort()
        # uvicorn learns of it a turn later, and would log meanwhile that the response was not completed.
        if self.cycle is not None:
            self.cycle.disconnected = True


def _write_chunks(cycle: RequestResponseCycle, *chunks: bytes) -> bool:
    if not cycle.chunked_encoding or cycle.response_complete or cycle.disconnected:
        return False
    if cycle.flow.write_paused or cycle.transport.is_closing():
        return False
    cycle.transport.writelines(chunks)
    return True
