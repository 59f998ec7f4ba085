"""Deflate (RFC 1951) in pieces that many connections share, gzip, and the limited inflating of what a client sends.

A piece is whole blocks and refers to no byte before it. So one piece can follow any other in the stream of any
connection, and no connection needs a compressor of its own. A stored block holds bytes that only one connection gets.
"""

from __future__ import annotations

import zlib

__all__ = [
    "MAX_STORED",
    "MIN_BYTES",
    "QUICK_BYTES",
    "TAIL",
    "BadDeflate",
    "TooLong",
    "deflated",
    "gzipped",
    "inflated",
    "stored",
]

#: From this length on, bytes are compressed. A shorter message fits into one packet either way.
MIN_BYTES = 1024
#: Longest text that the event loop compresses itself: about a millisecond. A thread compresses longer ones.
QUICK_BYTES = 256 * 1024
#: Most bytes of a stored block.
MAX_STORED = 0xFFFF
#: The end of each piece. It is left out at the end of a WebSocket message (RFC 7692, 7.2.1).
TAIL = b"\x00\x00\xff\xff"

#: Level 6 takes four times as long, and saves a sixth (measured with states of 200 and 2,000 cards).
_LEVEL = 1
#: Deflate without a header, with the largest window.
_RAW = -15
#: The largest window, with the head and the end of gzip.
_GZIP = 31
_WINDOW_BYTES = 32 * 1024
#: An empty final block. Behind a whole piece it ends the stream; behind a piece that was cut it does not.
_END = b"\x03\x00"
#: Most blocks with the mark of the last one in one message (RFC 7692, 7.2.3.5). Each costs a decompressor.
_MAX_FINAL_BLOCKS = 16


class BadDeflate(ValueError):
    """The data are no whole blocks of deflate."""


class TooLong(ValueError):
    """The data are longer than they may be."""


def deflated(data: bytes) -> bytes:
    """Return `data` as a piece, which ends with `TAIL`."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


def stored(data: bytes) -> bytes:
    """Return `data`, at most `MAX_STORED` bytes, as a piece that is not compressed (RFC 1951, 3.2.4).

    It needs no `TAIL`.
    """
    size = len(data)
    return b"\x00%b%b%b" % (size.to_bytes(2, "little"), (size ^ 0xFFFF).to_bytes(2, "little"), data)


def gzipped(data: bytes, level: int = _LEVEL) -> bytes:
    """Return `data` as a whole gzip file (RFC 1952), whose head has no time."""
    return zlib.compress(data, level, _GZIP)


def inflated(data: bytes, max_bytes: int) -> bytes:
    """Return the text of a WebSocket message (RFC 7692, 7.2.2), of at most `max_bytes`; no more is ever made.

    Raises:
        TooLong: there would be more.
        BadDeflate: the message is no deflate, seems to end in the middle of a block, or has too many final blocks.
    """
    rest, made = b"".join((data, TAIL, _END)), b""
    for _ in range(_MAX_FINAL_BLOCKS):
        # Behind a final block the window goes on, as in a stream of one piece.
        unpacker = zlib.decompressobj(_RAW, made[-_WINDOW_BYTES:])
        try:
            made += unpacker.decompress(rest, max_bytes + 1 - len(made))
        except zlib.error as fault:
            raise BadDeflate("expected deflate data, got something else") from fault
        if len(made) > max_bytes:
            raise TooLong(f"expected a message of at most {max_bytes} bytes, got more in a compressed one")
        if not unpacker.eof:
            raise BadDeflate("expected whole blocks of deflate, got a part of one")
        rest = unpacker.unused_data
        if not rest:
            return made
    raise BadDeflate(f"expected fewer than {_MAX_FINAL_BLOCKS} final blocks of deflate in a message, got more")
