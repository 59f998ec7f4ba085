"""Checks compare medians of figures, or of ratios run by run. Reports show them."""

from __future__ import annotations

from datetime import UTC, datetime
from math import nan
from pathlib import Path

import pytest

from tests.bench.cases import FULL, QUICK, Case, Sizes, cases
from tests.bench.checks import Check, Figures, Verdict, spread
from tests.bench.growth import growths
from tests.bench.report import as_markdown, as_text, case_rows, check_rows
from tests.bench.results import Results, markdown, write
from tests.bench.servers import BOARDCAST, PEERS, BenchServer

TAKEN = {
    "ours": [{"µs": value} for value in (1.0, 2.0, 9.0)],
    "theirs": [{"µs": value} for value in (2.0, 4.0, 6.0)],
}


@pytest.mark.parametrize(
    ("check", "verdict"),
    [
        (Check("µs", "<=", 2), Verdict.REACHED),
        (Check("µs", "<=", 1.9), Verdict.MISSED),
        (Check("µs", ">=", 2), Verdict.REACHED),
        (Check("µs", ">=", 2.1), Verdict.MISSED),
        (Check("µs", "<=", 0.5, ("ours", "theirs")), Verdict.REACHED),
        (Check("µs", ">=", 2, ("theirs", "ours")), Verdict.REACHED),
        (Check("µs", ">=", 2.1, ("theirs", "ours")), Verdict.MISSED),
        (Check("µs", "<=", 9, ("ours", "absent")), Verdict.NOT_MEASURED),
        (Check("ms", "<=", 9), Verdict.NOT_MEASURED),
    ],
    ids=str,
)
def test_check_compares_the_median(check: Check, verdict: Verdict) -> None:
    assert check.verdict(TAKEN) == verdict


def test_figure_that_the_system_does_not_provide_is_not_measured() -> None:
    assert Check("µs", "<=", 2).verdict({"ours": [{"µs": nan}]}) == Verdict.NOT_MEASURED


def test_spread_shows_median_least_and_greatest() -> None:
    assert [spread(values) for values in ([], [2.0], [1.0, 2000.0, 1500.25])] == ["-", "2", "1,500 (1 to 2,000)"]


def test_tables_show_figures_ratios_and_verdicts() -> None:
    head, row = as_text(case_rows(TAKEN)).splitlines()
    assert head.split() == ["ours", "theirs", "ours", ":", "theirs"]
    assert " ".join(row.split()) == "µs 2 (1 to 9) 4 (2 to 6) 0.5 (0.5 to 1.5)"
    assert as_markdown(check_rows([Check("µs", "<=", 2000, ("ours", "theirs"))], TAKEN)).splitlines() == [
        "| to reach | measured |  |",
        "| --- | --: | --: |",
        "| µs, ours : theirs <= 2,000 | 0.5 (0.5 to 1.5) | reached |",
    ]


@pytest.mark.parametrize("sizes", [FULL, QUICK], ids=["full", "quick"])
def test_checks_compare_columns_that_the_case_has(sizes: Sizes) -> None:
    for case in cases(sizes).values():
        columns = {BOARDCAST, *(rival.column for rival in case.rivals)}
        assert case.checks
        assert all(columns.issuperset(check.ratio or ()) for check in case.checks)
        assert {rival.server for rival in case.rivals} <= {BOARDCAST, *PEERS}


async def _not_run(server: BenchServer) -> Figures:
    raise AssertionError(server)


def test_results_hold_verdicts_tables_faults_and_charts(tmp_path: Path) -> None:
    case = Case("A case", _not_run, [Check("µs", "<=", 1)])
    growth = growths()[0]
    medians = {name: dict.fromkeys(growth.sizes, 12.5) for name in growth.series}
    results = Results(datetime(2025, 1, 2, tzinfo=UTC), "2 cores", "Python 3", 3, [("some", case, TAKEN)])
    results.growths.append((growth, medians))
    results.faults.append("sse: a mark was lost")
    write(results, tmp_path / "RESULTS.md")
    text = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert text == markdown(results)
    assert "| [some](#some) | µs &lt;= 1 | 2 (1 to 9) | missed |" in text
    assert "- 2025-01-02 00:00 UTC\n- 2 cores\n- Python 3\n- median (least to greatest) of 3 runs\n" in text
    assert "**Failed:** sse: a mark was lost" in text
    assert "| raw SSE | 12.5 | 12.5 | 12.5 | 12.5 |" in text
    assert "(growth-subscribers.svg)" in text
    assert (tmp_path / "growth-subscribers.svg").read_text(encoding="utf-8").startswith("<svg ")
