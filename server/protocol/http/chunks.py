"""Chunks of a streamed body (RFC 9112, 7.1), for bytes that are shared by many responses."""

from __future__ import annotations

__all__ = ["chunk"]


def chunk(body: bytes) -> bytes:
    """Return `body`, which is not empty, as one chunk."""
    return b"%x\r\n%b\r\n" % (len(body), body)
