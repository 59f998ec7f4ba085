"""Blocks of the raw SSE streams (docs/protocol.md, "Envelopes"): envelopes → bytes."""

from __future__ import annotations

from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import Goodbye

__all__ = ["COMMENT", "block", "blocks"]

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


def _retry(envelope: Envelope) -> str:
    after = envelope.payload.reconnect_after_ms if isinstance(envelope.payload, Goodbye) else 0
    return f"\nretry: {after}" if after else ""
