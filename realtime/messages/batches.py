"""Batches: envelopes that are published together; what is made of them is made once, however many read them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from realtime.caches import Cached
from realtime.messages.envelopes import Envelope

__all__ = ["Batch"]


class Batch(Cached, tuple[Envelope, ...]):  # noqa: SLOT001 - what is made of it is kept in it
    """Envelopes in order, shared between readers and never changed."""

    def __init__(self, _: Iterable[Envelope] = ()) -> None:
        """Hold the envelopes, as a tuple does."""
        self._cached = {}
        #: Where a reader stands that has all of them; None where none has a cursor.
        self.cursor = next((envelope.cursor for envelope in reversed(self) if envelope.cursor is not None), None)
        #: The reasons of the gaps in it.
        self.gaps = tuple(
            envelope.payload["reason"]
            for envelope in self
            if envelope.type == "gap" and isinstance(envelope.payload, dict)
        )

    @cached_property
    def size(self) -> int:
        """How many bytes the payloads have, as JSON."""
        return sum(envelope.size for envelope in self)
