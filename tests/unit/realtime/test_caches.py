"""Caches of client data: one result for equal keys, and no long text is kept."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

from realtime.caches import bounded_cache


class _Made:
    """An object whose end can be observed."""


def _cached() -> Callable[[str], _Made]:
    def make(text: str) -> _Made:
        return _Made()

    return bounded_cache(2, max_chars=3, chars=len)(make)


def test_short_key_is_computed_once() -> None:
    computed: list[str] = []

    @bounded_cache(2, max_chars=3, chars=len)
    def make(text: str) -> _Made:
        computed.append(text)
        return _Made()

    assert make("abc") is make("abc")
    assert computed == ["abc"]


def test_long_key_and_its_result_are_not_kept() -> None:
    make = _cached()
    made = weakref.ref(make("abcd"))
    gc.collect()
    assert made() is None


def test_oldest_entry_goes_first() -> None:
    make = _cached()
    first, second = weakref.ref(make("a")), weakref.ref(make("b"))
    make("c")
    gc.collect()
    assert first() is None
    assert second() is not None
