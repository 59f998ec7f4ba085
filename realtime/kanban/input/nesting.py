"""A limit on the depth of JSON from outside: a parser accepts deeper JSON than an encoder or an error message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["MAX_LEVELS", "deep_fields", "is_shallow"]

#: Most levels of objects and lists in a payload. The JSON parser accepts deeper values than the encoder. Such a value
#: must not come in, because it could not be written into the log or a client's frame. Python can not represent it as
#: text either, as models do with an unknown value.
MAX_LEVELS = 100
#: Types of JSON values that contain others.
_DEEP = frozenset({dict, list})


def is_shallow(value: Mapping[str, Any] | list[Any], levels: int = MAX_LEVELS) -> bool:
    """Return whether `value` has at most `levels` levels of objects and lists, including itself."""
    values = value if isinstance(value, list) else value.values()
    # Most payloads have no nested value, and this check sees it without a Python loop.
    if _DEEP.isdisjoint(map(type, values)):
        return True
    return levels > 1 and all(is_shallow(one, levels - 1) for one in values if type(one) in _DEEP)


def deep_fields(value: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that make `value` deeper than `MAX_LEVELS`."""
    if _DEEP.isdisjoint(map(type, value.values())):
        return []
    return [name for name, one in value.items() if type(one) in _DEEP and not is_shallow(one, MAX_LEVELS - 1)]
