"""Encodes each card once for each selection, for all events that contain the card."""

from __future__ import annotations

from typing import Any

import orjson

from realtime.kanban import models
from schema.plan.completing import Complete

__all__ = ["MOST_BYTES", "remembered"]

#: Most bytes of all cached encodings of one card; beyond this, the card drops them and begins again.
MOST_BYTES = 128 * 1024
#: Memory of one encoding in addition to its bytes.
ENTRY_BYTES = 256
_SIZES = "_sizes"


def remembered(selection: str, complete: Complete) -> Complete:
    """Return a function that encodes a card and caches the result in the card, because cards never change.

    Plans with an equal `selection` share the cached encoding. `selection` must not be the name of an attribute.
    """

    def fragment(value: Any) -> Any:
        """Return the encoded card, from the card itself if it has been encoded; complete a value that is no card."""
        try:
            return value.__dict__[selection]
        except (AttributeError, KeyError):
            return _encoded(value, selection, complete) if type(value) is models.Card else complete(value)

    return fragment


def _encoded(card: models.Card, selection: str, complete: Complete) -> orjson.Fragment:
    encoded = orjson.dumps(complete(card))
    size = len(encoded) + ENTRY_BYTES
    sizes: dict[str, int] = card.__dict__.setdefault(_SIZES, {})
    if size + sum(sizes.values()) > MOST_BYTES:
        for other in sizes:
            del card.__dict__[other]
        sizes.clear()
    fragment = orjson.Fragment(encoded)
    if size <= MOST_BYTES:
        sizes[selection] = size
        card.__dict__[selection] = fragment
    return fragment
