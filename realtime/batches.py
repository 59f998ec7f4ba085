"""Batches: envelopes that are published together, joined once for each exit format, however many read them."""

from __future__ import annotations

from functools import cached_property

from realtime.envelopes import Encoder, Envelope

__all__ = ["Batch"]


class Batch(tuple[Envelope, ...]):  # noqa: SLOT001 - what is computed once is kept in it
    """Envelopes in order, shared between readers and never changed."""

    @cached_property
    def size(self) -> int:
        """How many bytes the payloads have, as JSON."""
        return sum(envelope.size for envelope in self)

    @cached_property
    def cursor(self) -> str | None:
        """Where a reader stands that has all of them; None where none has a cursor."""
        return next((envelope.cursor for envelope in reversed(self) if envelope.cursor is not None), None)

    @cached_property
    def gaps(self) -> tuple[str, ...]:
        """The reasons of the gaps in it."""
        payloads = (envelope.payload for envelope in self if envelope.type == "gap")
        return tuple(payload["reason"] for payload in payloads if isinstance(payload, dict))

    def joined(self, encoder: Encoder[bytes]) -> bytes:
        """Return what `encoder` makes of each envelope, one behind the other; joined by the first reader that asks."""
        kept: dict[Encoder[bytes], bytes] = self.__dict__.setdefault("_joined", {})
        if encoder not in kept:
            kept[encoder] = b"".join([envelope.encoded(encoder) for envelope in self])
        return kept[encoder]
