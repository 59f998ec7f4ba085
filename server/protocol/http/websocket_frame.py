"""WebSocket text frames (RFC 6455, 5.2), for messages whose bytes many sockets share."""

from __future__ import annotations

__all__ = ["text_frame", "text_head"]

_FINAL_TEXT = 0x81
_MEDIUM, _LONG = bytes((_FINAL_TEXT, 126)), bytes((_FINAL_TEXT, 127))
#: The length of a shorter message fits in the second byte of the frame.
_SHORT = 126


def text_head(size: int) -> bytes:
    """Return the frame head of a text message of `size` bytes that a server sends: final, not masked."""
    if size < _SHORT:
        return bytes((_FINAL_TEXT, size))
    return _MEDIUM + size.to_bytes(2) if size < 1 << 16 else _LONG + size.to_bytes(8)


def text_frame(text: bytes) -> bytes:
    """Return the frame of a text message."""
    return text_head(len(text)) + text
