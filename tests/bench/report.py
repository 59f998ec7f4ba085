"""Tables and verdicts as text, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.checks import Check, Taken, ratios, spread

__all__ = ["Rows", "as_markdown", "as_text", "case_rows", "check_rows"]

#: The first row is the head. The first cell of each row is its name.
Rows = Sequence[Sequence[str]]

_GAP = "   "


def case_rows(taken: Taken) -> Rows:
    """Return one row per figure: the median (least to greatest) of each column, then the ratios.

    A ratio divides the first column by another one, run by run.
    """
    ours, *others = taken
    rows = [["", *taken, *(f"{ours} : {other}" for other in others)]]
    for name in taken[ours][0]:
        columns = {column: [figures[name] for figures in runs if name in figures] for column, runs in taken.items()}
        compared = [ratios(columns[ours], columns[other]) for other in others]
        rows.append([name, *map(spread, (*columns.values(), *compared))])
    return rows


def check_rows(checks: Sequence[Check], taken: Taken) -> Rows:
    """Return one row per check: the target, the figure, and the verdict."""
    return [
        ["to reach", "measured", ""],
        *([str(check), spread(check.values(taken)), str(check.verdict(taken))] for check in checks),
    ]


def as_text(rows: Rows) -> str:
    """Return rows as aligned lines."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        _GAP.join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows
    )


def as_markdown(rows: Rows) -> str:
    """Return rows as a Markdown table."""
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, f"| --- |{' --: |' * (len(rows[0]) - 1)}", *body])
