"""Frames of the raw kanban WebSocket (contract §1): envelope → text."""

from __future__ import annotations

import orjson

from realtime.envelopes import Envelope

__all__ = ["error", "frame", "pong", "text", "text_frame"]

#: Types that the original named otherwise on its sockets; `git:status` has no payload key there.
_SOCKET_NAMES = {"git_status": "git:status"}
COMMAND_CHARS = 64
_FINAL_TEXT = 0x81
#: Messages below it have their length in one byte.
_SHORT = 126


def text_frame(envelope: Envelope) -> bytes:
    """Return `{"type":T,"payload":P,"cursor":C}` as UTF-8; without `cursor` where the envelope has none."""
    parts = [b'{"type":', orjson.dumps(_SOCKET_NAMES.get(envelope.type, envelope.type))]
    if envelope.payload is not None:
        parts += [b',"payload":', envelope.payload_json()]
    if envelope.cursor is not None:
        parts += [b',"cursor":', orjson.dumps(envelope.cursor)]
    return b"".join((*parts, b"}"))


def text(envelope: Envelope) -> str:
    """Return `text_frame` as the text that ASGI wants; kept beside it, so that no reader costs a decoding."""
    return envelope.encoded(text_frame).decode()


def frame(envelope: Envelope) -> bytes:
    """Return the message as the whole frame that a server sends (RFC 6455, 5.2): final, text, not masked."""
    message = envelope.encoded(text_frame)
    size = len(message)
    if size < _SHORT:
        return bytes((_FINAL_TEXT, size)) + message
    wide, width = (126, 2) if size < 1 << 16 else (127, 8)
    return bytes((_FINAL_TEXT, wide)) + size.to_bytes(width) + message


def pong(ts: str) -> Envelope:
    """Return the answer to `ping`."""
    return Envelope("pong", {"ts": ts})


def error(command: str | None, code: str, message: str) -> Envelope:
    """Return the answer to a refused command; `command` is the type that came, cut (contract §8, row 3)."""
    name = command[:COMMAND_CHARS] if command is not None else None
    return Envelope("error", {"command": name, "code": code, "message": message})
