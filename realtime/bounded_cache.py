"""Caches whose keys come from clients: bounded in entries and, since long keys are not kept, in bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

__all__ = ["bounded_cache"]

_K = TypeVar("_K")
_T = TypeVar("_T")


def bounded_cache(
    entries: int, *, max_chars: int, chars: Callable[[Any], int]
) -> Callable[[Callable[[_K], _T]], Callable[[_K], _T]]:
    """Return a decorator: the last `entries` results of a function of one argument are kept.

    A key with more than `max_chars` characters, by what `chars` says of it, is computed each time. A fault is not kept.
    """

    def decorate(make: Callable[[_K], _T]) -> Callable[[_K], _T]:
        cached = lru_cache(entries)(make)

        @wraps(make)
        def get(key: _K) -> _T:
            return cached(key) if chars(key) <= max_chars else make(key)

        return get

    return decorate
