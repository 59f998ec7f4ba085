"""The framing of bytes that many connections share: chunks of a response, frames of a WebSocket."""

from __future__ import annotations

from server.protocol.deflate import MIN_BYTES, TAIL, deflated

__all__ = ["chunk", "deflated_frame", "deflated_head", "text_frame", "text_head"]

_FINAL_TEXT = 0x81
_RSV1 = 0x40
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


def deflated_head(size: int) -> bytes:
    """Return the frame head of a compressed text message of `size` bytes, with the bit RSV1 (RFC 7692, 6)."""
    head = text_head(size)
    return bytes((head[0] | _RSV1,)) + head[1:]


def deflated_frame(text: bytes) -> bytes:
    """Return the frame of a text message for a client that takes compressed ones; a short text is not compressed."""
    if len(text) < MIN_BYTES:
        return text_frame(text)
    piece = deflated(text).removesuffix(TAIL)
    return deflated_head(len(piece)) + piece


def text_frame(text: bytes) -> bytes:
    """Return the frame of a text message."""
    return text_head(len(text)) + text
