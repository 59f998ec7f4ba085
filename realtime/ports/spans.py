"""Traces of writing: a unit, the commit of its group, and the fan-out of what was stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

__all__ = ["UNTRACED", "WriteSpans"]


class WriteSpans(Protocol):
    """Gives a block for each step of writing, which is open while the step lasts. A unit is known by its identity."""

    def unit(self, unit: object, boards: Collection[str], parts: int) -> AbstractContextManager[None]:
        """Return the block in which a caller waits for a unit of `parts` commands or events on `boards`."""

    def commit(self, units: Sequence[object]) -> AbstractContextManager[None]:
        """Return the block in which a group is decided and stored."""

    def fan_out(self, units: Sequence[object], events: int) -> AbstractContextManager[None]:
        """Return the block in which the `events` that a group has stored are published."""


class _Untraced:
    """Notes nothing; one block serves all: it has no state."""

    _block = nullcontext()

    def unit(self, unit: object, boards: Collection[str], parts: int) -> AbstractContextManager[None]:
        return self._block

    def commit(self, units: Sequence[object]) -> AbstractContextManager[None]:
        return self._block

    def fan_out(self, units: Sequence[object], events: int) -> AbstractContextManager[None]:
        return self._block


UNTRACED: WriteSpans = _Untraced()
