"""Batches: envelopes that are published together, and encoded once for each exit, not for each subscriber."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from realtime.caches import Cached
from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import Gap

__all__ = ["Batch"]


class Batch(Cached, tuple[Envelope, ...]):  # noqa: SLOT001 - it caches its encoded forms
    """Envelopes in order, shared by subscribers and immutable."""

    def __init__(self, _: Iterable[Envelope] = ()) -> None:
        """Make a batch of the envelopes, as a tuple does."""
        self._cached = {}
        #: The cursor of a client that has all of them; None if no envelope has a cursor.
        self.cursor = next((envelope.cursor for envelope in reversed(self) if envelope.cursor is not None), None)
        #: `Envelope.published_at` of the first one.
        self.published_at = self[0].published_at if self else 0.0
        #: The reasons of its `gap` envelopes.
        self.gaps = tuple(envelope.payload.reason for envelope in self if isinstance(envelope.payload, Gap))

    @cached_property
    def size(self) -> int:
        """Number of bytes of the payloads as JSON."""
        return sum(envelope.size for envelope in self)
