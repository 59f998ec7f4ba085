"""The framing of bytes that many connections share: chunks of a response, frames of a WebSocket."""

from __future__ import annotations

__all__ = ["chunk", "text_frame", "text_head"]

_FINAL_TEXT = 0x81
_MEDIUM, _LONG = bytes((_FINAL_TEXT, 126)), bytes((_FINAL_TEXT, 127))
#: The length of a shorter message fits in the second byte of the frame.
_SHORT = 126


def chunk(body: bytes) -> bytes:
    """Return `body` as one chunk of a streamed body (RFC 9112, 7.1); `body` must not be empty."""
    return b"%x\r\n%b\r\n" % (len(body), body)


def text_head(size: int) -> bytes:
    """Return the frame head (RFC 6455, 5.2) of a text message of `size` bytes from a server: final, not masked."""
    if size < _SHORT:
        return bytes((_FINAL_TEXT, size))
    return _MEDIUM + size.to_bytes(2) if size < 1 << 16 else _LONG + size.to_bytes(8)


def text_frame(text: bytes) -> bytes:
    """Return the frame of a text message."""
    return text_head(len(text)) + text
