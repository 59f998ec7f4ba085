"""How a WebSocket frame begins (RFC 6455, 5.2), for messages whose bytes are shared by many sockets."""

from __future__ import annotations

__all__ = ["text_frame", "text_head"]

_FINAL_TEXT = 0x81
_MEDIUM, _LONG = bytes((_FINAL_TEXT, 126)), bytes((_FINAL_TEXT, 127))
#: Messages below it have their length in one byte.
_SHORT = 126


def text_head(size: int) -> bytes:
    """Return what goes before a text message of `size` bytes that a server sends: final, not masked."""
    if size < _SHORT:
        return bytes((_FINAL_TEXT, size))
    return _MEDIUM + size.to_bytes(2) if size < 1 << 16 else _LONG + size.to_bytes(8)


def text_frame(text: bytes) -> bytes:
    """Return the frame of a text message."""
    return text_head(len(text)) + text
