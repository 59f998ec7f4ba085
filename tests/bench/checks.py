"""What a case is to reach, and whether it did."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isnan, nan
from statistics import median
from typing import Literal

__all__ = ["Check", "Figures", "Taken", "Verdict", "number", "ratios", "spread"]

#: What one run measured: name with unit → value.
Figures = dict[str, float]
#: Column of a table → the figures of each of its runs, in the order of the turns.
Taken = Mapping[str, Sequence[Figures]]

_COMPARISONS = {"<=": operator.le, ">=": operator.ge}


class Verdict(StrEnum):
    """How a check came out."""

    REACHED = "reached"
    MISSED = "missed"
    #: A peer is not installed, or the system does not tell the figure.
    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Check:
    """A bound for the median of a figure of the first column, or for that of the ratio of two columns turn by turn."""

    figure: str
    comparison: Literal["<=", ">="]
    limit: float
    #: The columns that are divided, the first by the second; None for the figure itself.
    ratio: tuple[str, str] | None = None

    def __str__(self) -> str:
        """Say what is to be reached."""
        of = f", {' : '.join(self.ratio)}" if self.ratio else ""
        return f"{self.figure}{of} {self.comparison} {self.limit:,.10g}"

    def values(self, taken: Taken) -> list[float]:
        """Return what is compared with the limit, turn by turn; nothing where a column is missing."""
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
    """Return the ratios of what was measured in the same turn."""
    return [one / other if other else nan for one, other in zip(above, below, strict=False)]


def spread(values: Sequence[float]) -> str:
    """Return the median with the least and the greatest in brackets, or the only one."""
    if len(values) < 2:
        return "".join(map(number, values)) or "-"
    return f"{number(median(values))} ({number(min(values))} to {number(max(values))})"


def number(value: float) -> str:
    """Return three digits of a number, or all of those in front of the point."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _column(runs: Sequence[Figures], figure: str) -> list[float]:
    return [figures[figure] for figures in runs if figure in figures]
