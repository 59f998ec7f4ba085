"""Keeping what is made of a thing in the thing itself, so that of many who want it only the first pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

__all__ = ["Kept"]

_T = TypeVar("_T")


class Kept:
    """A shared thing that never changes; whoever derives from it begins with an empty `_kept`."""

    __slots__ = ()

    _kept: dict[Callable[[Any], Any], Any]

    def kept(self, make: Callable[[Self], _T]) -> _T:
        """Return `make(self)`, made by the first who asks and kept for the others.

        It is kept under `make` itself, so that is a function of a module or a value that knows its equals; no lambda.
        """
        try:
            made: _T = self._kept[make]
        except KeyError:
            made = self._kept[make] = make(self)
        return made
