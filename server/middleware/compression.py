"""Compresses whole answers with gzip, for clients that accept it.

Starlette's `GZipMiddleware` would compress on the event loop, without regard to weights, to HEAD and to secrets.
Streams (`transports.gzip_stream`) and files (`transports.files.packed_files`) compress themselves: equal bytes once.
"""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.concurrency.worker_thread import compressing
from server.protocol.deflate import MIN_BYTES, QUICK_BYTES, gzipped
from server.protocol.http.codings import accept_encoding, is_compressible, least_bytes

__all__ = ["Compression"]

_WITHOUT_BODY = (204, 304)
#: With one of these headers an answer stays as it is: it has a coding, or a name for its exact bytes.
_EXACT = frozenset({b"content-encoding", b"content-range", b"etag"})
#: Values of Cache-Control. An answer with a secret says `no-store`, and its length would tell what it repeats.
_AS_IT_IS = (b"no-store", b"no-transform")
_VARY = b"Accept-Encoding"


class Compression:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        """Compress the answers of `app`."""
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Handle one connection. Not `async`: an open stream then holds no coroutine of this middleware."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)
        return self._app(scope, receive, _Answer(send, least_bytes(accept_encoding(scope["headers"]))).send)


class _Answer:
    """One answer. Its head waits for the body, if it can be compressed."""

    __slots__ = ("_least", "_send", "_start")

    def __init__(self, send: Send, least: int | None) -> None:
        """Send with `send`, compressed from `least` bytes on."""
        self._send = send
        self._least = least
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        """Send the next message of the application."""
        if message["type"] == "http.response.start":
            # Most answers are short, so look at the length first.
            size = _length_of(message)
            if size and (size >= MIN_BYTES or self._least == 0) and _is_text(message):
                message["headers"] = _varying(message["headers"])
                if self._least is not None:
                    self._start = message
                    return
        elif self._start is not None:
            start, self._start = self._start, None
            if not message.get("more_body", False):
                message = {**message, "body": await _packed(message.get("body", b""))}
                start["headers"] = _coded(start["headers"], len(message["body"]))
            await self._send(start)
        await self._send(message)


async def _packed(body: bytes) -> bytes:
    return gzipped(body) if len(body) <= QUICK_BYTES else await compressing(partial(gzipped, body))


def _length_of(start: Message) -> int:
    """Return the length of an answer; 0 = it is empty, or is a stream."""
    for name, value in start.get("headers", ()):
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _is_text(start: Message) -> bool:
    """Return whether an answer may be compressed, and becomes shorter."""
    headers = {name.lower(): value for name, value in start["headers"]}
    if start["status"] in _WITHOUT_BODY or not _EXACT.isdisjoint(headers):
        return False
    if any(word in headers.get(b"cache-control", b"") for word in _AS_IT_IS):
        return False
    return is_compressible(headers.get(b"content-type", b"").decode("latin-1"))


def _varying(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers with a Vary that says that the answer depends on Accept-Encoding too."""
    others = [value for name, value in headers if name.lower() == b"vary"]
    return [*(one for one in headers if one[0].lower() != b"vary"), (b"vary", b", ".join((*others, _VARY)))]


def _coded(headers: list[tuple[bytes, bytes]], size: int) -> list[tuple[bytes, bytes]]:
    kept = [one for one in headers if one[0].lower() != b"content-length"]
    return [*kept, (b"content-length", b"%d" % size), (b"content-encoding", b"gzip")]
