"""Blocks of the raw SSE streams (docs/protocol.md, "Envelopes"): envelopes → bytes."""

from __future__ import annotations

from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope

__all__ = ["COMMENT", "block", "blocks"]

#: A line that clients skip: bytes on the connection, and no event.
COMMENT = b": alive\n\n"


def block(envelope: Envelope) -> bytes:
    r"""Return `event: T\ndata: P\nid: C\n\n`; without `id` where the envelope has no cursor.

    JSON holds no raw line break, so one `data` line is enough. A `goodbye` that says when to come back says so to
    EventSource as well, by `retry`.
    """
    cursor = f"\nid: {envelope.cursor}" if envelope.cursor is not None else ""
    ending = (cursor + _retry(envelope)).encode()
    return b"event: %b\ndata: %b%b\n\n" % (envelope.type.encode(), envelope.payload_json(), ending)


def blocks(batch: Batch) -> bytes:
    """Return the blocks of a batch, one behind the other."""
    return b"".join([envelope.cached(block) for envelope in batch])


def _retry(envelope: Envelope) -> str:
    if envelope.type != "goodbye" or not isinstance(envelope.payload, dict):
        return ""
    after = envelope.payload["reconnectAfterMs"]
    return f"\nretry: {after}" if after else ""
