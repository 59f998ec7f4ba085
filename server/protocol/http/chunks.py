"""Chunks of a streamed body (RFC 9112, 7.1), for bytes that many responses share."""

from __future__ import annotations

__all__ = ["chunk"]


def chunk(body: bytes) -> bytes:
    """Return `body` as one chunk; `body` must not be empty."""
    return b"%x\r\n%b\r\n" % (len(body), body)
