"""Blocks of the raw SSE streams (contract §1, §4): envelope → bytes."""

from __future__ import annotations

from realtime.envelopes import Envelope

__all__ = ["block"]


def block(envelope: Envelope) -> bytes:
    r"""Return `event: T\ndata: P\nid: C\n\n`; without `id` where the envelope has no cursor.

    JSON holds no raw line break, so one `data` line is enough.
    """
    cursor = f"\nid: {envelope.cursor}" if envelope.cursor is not None else ""
    return b"event: %b\ndata: %b%b\n\n" % (envelope.type.encode(), envelope.payload_json(), cursor.encode())
