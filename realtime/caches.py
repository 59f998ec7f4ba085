"""Two caches: one inside an object for values derived from it, and a bounded one by keys that clients choose."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Self, TypeVar

__all__ = ["Cached", "bounded_cache"]

_K = TypeVar("_K")
_T = TypeVar("_T")


class Cached:
    """A shared, immutable object that caches what is derived from it; a subclass sets `_cached` to an empty dict."""

    __slots__ = ()

    _cached: dict[Callable[[Any], Any], Any]

    def cached(self, make: Callable[[Self], _T]) -> _T:
        """Return `make(self)`; only the first call computes it.

        The key is `make` itself, so `make` is a module-level function or a value with equality, not a lambda.
        """
        try:
            made: _T = self._cached[make]
        except KeyError:
            made = self._cached[make] = make(self)
        return made

    def is_cached(self, make: Callable[[Any], Any]) -> bool:
        """Return whether `cached(make)` would compute nothing."""
        return make in self._cached


def bounded_cache(
    entries: int, *, max_chars: int, chars: Callable[[Any], int]
) -> Callable[[Callable[[_K], _T]], Callable[[_K], _T]]:
    """Return a decorator that caches the last `entries` results of a function of one argument.

    Clients choose the keys, so their length is bounded too: a key of more than `max_chars` characters, as `chars`
    counts them, is computed at each call. Exceptions are not cached.
    """

    def decorate(make: Callable[[_K], _T]) -> Callable[[_K], _T]:
        cached = lru_cache(entries)(make)

        @wraps(make)
        def get(key: _K) -> _T:
            """Return the result for `key`, from the cache if the key is short enough."""
            return cached(key) if chars(key) <= max_chars else make(key)

        return get

    return decorate
