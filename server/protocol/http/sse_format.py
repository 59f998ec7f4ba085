"""Blocks of the raw SSE streams (docs/protocol.md, "Envelopes"): envelopes → bytes."""

from __future__ import annotations

from itertools import groupby

from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import Goodbye
from server.protocol.deflate import MIN_BYTES
from server.protocol.http.gzip_pieces import Piece

__all__ = ["COMMENT", "block", "blocks", "gzip_block", "gzip_blocks"]

#: A comment, which clients ignore: it shows that the connection is alive, and is no event.
COMMENT = b": alive\n\n"


def block(envelope: Envelope) -> bytes:
    r"""Return `event: T\ndata: P\nid: C\n\n`, without `id` when the envelope has no cursor.

    JSON contains no raw line break, so one `data` line is enough. A `goodbye` that says when to reconnect also has a
    `retry` line, which EventSource obeys.
    """
    cursor = f"\nid: {envelope.cursor}" if envelope.cursor is not None else ""
    ending = (cursor + _retry(envelope)).encode()
    return b"event: %b\ndata: %b%b\n\n" % (envelope.type.encode(), envelope.payload_json(), ending)


def blocks(batch: Batch) -> bytes:
    """Return the blocks of a batch, joined in order."""
    return b"".join([envelope.cached(block) for envelope in batch])


def gzip_block(envelope: Envelope) -> Piece:
    """Return the block as a piece of a compressed stream."""
    return Piece.of(block(envelope))


def gzip_blocks(batch: Batch) -> Piece:
    """Return the blocks of a batch as a piece. Long blocks are compressed alone: batches share them."""
    pieces: list[Piece] = []
    for is_long, envelopes in groupby(batch, lambda envelope: envelope.size >= MIN_BYTES):
        if is_long:
            pieces += [envelope.cached(gzip_block) for envelope in envelopes]
        else:
            pieces.append(Piece.of(b"".join([envelope.cached(block) for envelope in envelopes])))
    return pieces[0] if len(pieces) == 1 else Piece.joined(pieces)


def _retry(envelope: Envelope) -> str:
    after = envelope.payload.reconnect_after_ms if isinstance(envelope.payload, Goodbye) else 0
    return f"\nretry: {after}" if after else ""
