"""How deep JSON from outside may be: it can be read deeper than it can be written, or spelled in an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["MAX_LEVELS", "deep_fields", "is_shallow"]

#: Most levels of objects and lists in a payload. JSON is read deeper than it is written: what cannot be written into
#: the log or a reader's frame must not come in. Nor can Python spell it, as models do of a value that they do not know.
MAX_LEVELS = 100
#: What JSON nests.
_DEEP = frozenset({dict, list})


def is_shallow(value: Mapping[str, Any] | list[Any], levels: int = MAX_LEVELS) -> bool:
    """Tell whether `value` has at most so many levels of objects and lists, itself among them."""
    values = value if isinstance(value, list) else value.values()
    # Most payloads hold nothing deep; that much is seen without looking at each value here.
    if _DEEP.isdisjoint(map(type, values)):
        return True
    return levels > 1 and all(is_shallow(one, levels - 1) for one in values if type(one) in _DEEP)


def deep_fields(value: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields that make `value` deeper than `MAX_LEVELS`."""
    return [name for name, one in value.items() if type(one) in _DEEP and not is_shallow(one, MAX_LEVELS - 1)]
