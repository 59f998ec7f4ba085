"""The file of results in Markdown with charts: the machine, the time, the verdicts, and every table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.bench.cases import Case
from tests.bench.chart import chart
from tests.bench.checks import Taken
from tests.bench.growth import Growth, Medians, growth_rows
from tests.bench.report import Rows, as_markdown, case_rows, check_rows

__all__ = ["Results", "markdown", "write"]


@dataclass
class Results:
    """The results of one call of the benchmark."""

    began: datetime
    machine: str
    versions: str
    runs: int
    #: Name, case and figures of each case that completed.
    cases: list[tuple[str, Case, Taken]] = field(default_factory=list)
    growths: list[tuple[Growth, Medians]] = field(default_factory=list)
    #: One sentence for each case that did not complete.
    faults: list[str] = field(default_factory=list)


def markdown(results: Results) -> str:
    """Return the text of the file."""
    parts = [
        "# Results of the benchmark",
        "Written by `make bench ARGS='--results tests/bench/RESULTS.md'`; [README.md](README.md) says how to read it.",
        "\n".join(f"- {fact}" for fact in _facts(results)),
        *(f"**Failed:** {fault}" for fault in results.faults),
        *_summary(results.cases),
    ]
    for name, case, taken in results.cases:
        parts += [f"## {name}", case.title, as_markdown(case_rows(taken))]
    if results.growths:
        parts.append("## Growth")
    for growth, medians in results.growths:
        parts += [growth.title, as_markdown(growth_rows(growth, medians)), f"![{growth.title}]({growth.name}.svg)"]
    return "\n\n".join(parts) + "\n"


def _facts(results: Results) -> list[str]:
    runs = f"median (least to greatest) of {results.runs} runs" if results.runs > 1 else "one run"
    return [f"{results.began:%Y-%m-%d %H:%M} UTC", results.machine, results.versions, runs]


def _summary(cases: Sequence[tuple[str, Case, Taken]]) -> list[str]:
    if not cases:
        return []
    rows: list[Sequence[str]] = []
    for name, case, taken in cases:
        head, *checked = check_rows(case.checks, taken)
        rows = rows or [["case", *head]]
        rows += [[f"[{name}](#{name})", *row] for row in checked]
    return ["## What was to be reached", as_markdown(_shown(rows))]


def _shown(rows: Rows) -> Rows:
    # Markdown would read `<` as the start of a tag.
    return [[cell.replace("<", "&lt;") for cell in row] for row in rows]


def write(results: Results, path: Path) -> None:
    """Write the file and its charts into the same folder."""
    for growth, medians in results.growths:
        picture = chart(growth.title, growth.size_label, growth.figure, medians)
        path.with_name(f"{growth.name}.svg").write_text(picture, encoding="utf-8")
    path.write_text(markdown(results), encoding="utf-8")
