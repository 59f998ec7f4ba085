"""Frames of the raw kanban WebSocket (docs/protocol.md): envelopes → text, or the bytes of whole frames."""

from __future__ import annotations

from functools import lru_cache

import orjson

from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import CommandRefused, GitStatus, Pong
from server.protocol.deflate import MIN_BYTES
from server.protocol.http.framing import deflated_frame, text_head

__all__ = [
    "SOCKET_NAMES",
    "compressed_frame",
    "compressed_frames",
    "error",
    "frame",
    "frames",
    "pong",
    "text",
    "text_frame",
]

#: Types that had another name on the sockets of the original; `git:status` has no payload key there.
SOCKET_NAMES = {"git_status": "git:status"}
COMMAND_CHARS = 64


def text_frame(envelope: Envelope) -> bytes:
    """Return `{"type":T,"payload":P,"cursor":C}` as UTF-8, without `cursor` when the envelope has none."""
    return b"".join(_parts(envelope))


def text(envelope: Envelope) -> str:
    """Return `text_frame` as `str`, which ASGI wants. The envelope caches the bytes, so they are encoded once."""
    return envelope.cached(text_frame).decode()


def frame(envelope: Envelope) -> bytes:
    """Return the message as a whole frame."""
    # Not made from the text: a state of 2,000 cards has 800 KB, which would be copied and cached a second time.
    parts = _parts(envelope)
    return b"".join((text_head(sum(map(len, parts))), *parts))


def frames(batch: Batch) -> bytes:
    """Return the messages of a batch as whole frames, joined in order."""
    return b"".join([envelope.cached(frame) for envelope in batch])


def compressed_frame(envelope: Envelope) -> bytes:
    """Return the message as a whole frame for a client that takes compressed ones."""
    if envelope.size < MIN_BYTES:
        return envelope.cached(frame)
    return deflated_frame(text_frame(envelope))


def compressed_frames(batch: Batch) -> bytes:
    """Return the messages of a batch as whole frames for clients that take compressed ones, joined in order."""
    return b"".join([envelope.cached(compressed_frame) for envelope in batch])


def pong(ts: str) -> Envelope:
    """Return the answer to `ping`."""
    return Envelope(Pong(ts))


def error(command: str | None, code: str, message: str) -> Envelope:
    """Return the answer to a refused command.

    `command` is the type that the client sent. It is cut to `COMMAND_CHARS` (docs/departures.md, row 3).
    """
    name = command[:COMMAND_CHARS] if command is not None else None
    return Envelope(CommandRefused(name, code, message))


def _parts(envelope: Envelope) -> tuple[bytes, ...]:
    payload = () if isinstance(envelope.payload, GitStatus) else (b',"payload":', envelope.payload_json())
    # A cursor contains no character that JSON would escape.
    cursor = () if envelope.cursor is None else (b',"cursor":"', envelope.cursor.encode(), b'"')
    return (_start(envelope.type), *payload, *cursor, b"}")


@lru_cache(64)  # there are some twenty types
def _start(type: str) -> bytes:
    return b'{"type":' + orjson.dumps(SOCKET_NAMES.get(type, type))
