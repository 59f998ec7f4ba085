"""The target of a case, and whether it was reached."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isnan, nan
from statistics import median
from typing import Literal

__all__ = ["Check", "Figures", "Taken", "Verdict", "number", "ratios", "spread"]

#: The figures of one run: name with unit → value.
Figures = dict[str, float]
#: Column of a table → the figures of each of its runs, in the order in which they ran.
Taken = Mapping[str, Sequence[Figures]]

_COMPARISONS = {"<=": operator.le, ">=": operator.ge}


class Verdict(StrEnum):
    """The result of a check."""

    REACHED = "reached"
    MISSED = "missed"
    #: A peer is not installed, or the system does not provide the figure.
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Check:
    """A bound for the median of a figure of the first column, or of the ratio of two columns run by run."""

    figure: str
    comparison: Literal["<=", ">="]
    limit: float
    #: The columns of the ratio: the first is divided by the second. None: the figure itself.
    ratio: tuple[str, str] | None = None

    def __str__(self) -> str:
        """Return the target as text."""
        of = f", {' : '.join(self.ratio)}" if self.ratio else ""
        return f"{self.figure}{of} {self.comparison} {self.limit:,.10g}"

    def values(self, taken: Taken) -> list[float]:
        """Return the values to compare with the limit, run by run. The list is empty if a column is missing."""
        if self.ratio is None:
            return _column(next(iter(taken.values()), ()), self.figure)
        above, below = (_column(taken.get(column, ()), self.figure) for column in self.ratio)
        return ratios(above, below)

    def verdict(self, taken: Taken) -> Verdict:
        """Compare the median with the limit."""
        values = self.values(taken)
        middle = median(values) if values else nan
        if isnan(middle):
            return Verdict.NOT_MEASURED
        return Verdict.REACHED if _COMPARISONS[self.comparison](middle, self.limit) else Verdict.MISSED


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Return the ratio of each pair of figures."""
    return [one / other if other else nan for one, other in zip(above, below, strict=False)]


def spread(values: Sequence[float]) -> str:
    """Return the median with the least and the greatest in brackets; of a single value, only the value."""
    if len(values) < 2:
        return "".join(map(number, values)) or "-"
    return f"{number(median(values))} ({number(min(values))} to {number(max(values))})"


def number(value: float) -> str:
    """Return a number with three digits, or as an integer if it has more."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _column(runs: Sequence[Figures], figure: str) -> list[float]:
    return [figures[figure] for figures in runs if figure in figures]
