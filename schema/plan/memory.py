"""Cards that are encoded once for each selection, however many events show them."""

from __future__ import annotations

from typing import Any

import orjson

from realtime.kanban import models
from schema.plan.completing import Complete

__all__ = ["MOST_BYTES", "remembered"]

#: Most bytes that one card keeps of its encodings, whoever asked for what; beyond, it begins anew.
MOST_BYTES = 128 * 1024
#: What an encoding costs beside its bytes.
ENTRY_BYTES = 256
_SIZES = "_sizes"


def remembered(selection: str, complete: Complete) -> Complete:
    """Encode cards instead of only completing them, and keep that in the card; cards never change.

    Plans whose `selection` of the type is the same share what is kept. It is no name of an attribute.
    """

    def fragment(value: Any) -> Any:
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
