"""Triage: attempts that need a person, newer attempts that supersede older ones, and the number of examined ones."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.dashboard.rows import AttemptRow
from realtime.dashboard.triage import Finding
from tests.unit.realtime.dashboard.counting import CardOnBoard, figures_of
from tests.unit.realtime.dashboard.samples import ALL_TIME, NOW, ago, attempt, board, card

STATUSES = ("queued", "running", "stopping", "succeeded", "failed", "stopped")
HOUR = 3_600


def findings(attempts: list[AttemptRow], *cards: CardOnBoard) -> Sequence[Finding[AttemptRow]]:
    """Return the findings among the newest of all attempts."""
    return figures_of(board(*cards, attempts=attempts), ALL_TIME.window(NOW)).findings


def kinds(attempts: list[AttemptRow], *cards: CardOnBoard) -> list[tuple[str, str]]:
    """Return id and kind of each finding."""
    return [(finding.attempt.id, finding.kind) for finding in findings(attempts, *cards)]


def newest_first(*statuses: str) -> list[AttemptRow]:
    """Make attempts of one card, `a0` the newest. Active ones are old enough to count as stuck."""
    return [attempt(f"a{n}", status, created=ago(HOUR * (n + 1))) for n, status in enumerate(statuses)]


@pytest.mark.parametrize(
    ("status", "began", "found"),
    [
        ("queued", 599.999, False),
        ("queued", 600, True),
        ("running", 1799.999, False),
        ("running", 1800, True),
        ("stopping", 1799.999, False),
        ("stopping", 1800, True),
    ],
)
def test_attempt_hangs_from_limit_on(status: str, began: float, found: bool) -> None:
    assert kinds([attempt("a", status, created=ago(9_999), started=ago(began))], card()) == [("a", "stuck")] * found
    assert kinds([attempt("a", status, created=ago(began))], card()) == [("a", "stuck")] * found


def test_age_is_cut_to_whole_seconds() -> None:
    rows = [attempt("a", "queued", created=ago(700.9))]
    (finding,) = findings(rows, card())
    assert finding.age_seconds == 700


@pytest.mark.parametrize(
    ("column", "pr_url", "statuses", "found"),
    [
        ("Review", None, ["succeeded"], [("a0", "review")]),
        ("Done", None, ["succeeded"], []),
        ("Closed", None, ["succeeded"], []),
        ("Done", "", ["succeeded"], []),
        ("Done", "https://pr", ["succeeded"], [("a0", "review")]),
        ("Review", None, ["failed"], [("a0", "failed")]),
        ("Review", None, ["stopped"], [("a0", "failed")]),
        ("Done", "https://pr", ["failed"], []),
        ("Review", None, ["succeeded", "failed"], [("a0", "review")]),
        ("Review", None, ["failed", "succeeded"], [("a0", "failed")]),
        ("Review", None, ["failed", "stopped"], [("a0", "failed")]),
        ("Review", None, ["succeeded", "succeeded"], [("a0", "review")]),
        ("Review", None, ["running", "failed"], [("a0", "stuck")]),
        ("Review", None, ["failed", "running"], [("a0", "failed"), ("a1", "stuck")]),
        ("Review", None, ["running", "queued"], [("a0", "stuck")]),
        ("Done", None, ["queued"], [("a0", "stuck")]),
        ("Done", None, ["failed", "succeeded"], []),
    ],
)
def test_newer_attempts_answer_for_older_ones(
    column: str, pr_url: str | None, statuses: list[str], found: list[tuple[str, str]]
) -> None:
    assert kinds(newest_first(*statuses), card("c", column, pr_url=pr_url)) == found


def test_young_attempt_leaves_older_failure_standing() -> None:
    rows = [attempt("new", "running", created=ago(60)), attempt("old", "failed", created=ago(HOUR))]
    assert kinds(rows, card()) == [("old", "failed")]


def test_attempts_of_unknown_cards_are_judged_each_for_its_card() -> None:
    rows = [attempt("a", "failed", card="x"), attempt("b", "succeeded", card="y")]
    assert sorted(kinds(rows)) == [("a", "failed"), ("b", "review")]


def test_only_newest_five_hundred_are_looked_at() -> None:
    quiet = [attempt(f"q{n}", "queued", card=f"c{n}", created=ago(10)) for n in range(499)]
    failed = [attempt(f"f{n}", "failed", card=f"f{n}", created=ago(20), sequence=n) for n in (2, 1)]
    assert kinds(quiet + failed) == [("f1", "failed")]
    assert kinds(quiet[1:] + failed) == [("f1", "failed"), ("f2", "failed")]


def test_findings_stop_at_twenty_five_over_all_kinds() -> None:
    rows = [
        attempt(f"a{n}", STATUSES[n % 6], card=f"c{n}", created=ago(HOUR + n), updated=ago(100 - n)) for n in range(60)
    ]
    assert [name for name, _ in kinds(rows)] == [f"a{n}" for n in reversed(range(35, 60))]


@given(
    st.lists(st.tuples(st.sampled_from(STATUSES), st.integers(0, 3), st.integers(1, 4), st.integers(1, 4)), max_size=40)
)
def test_findings_are_ordered_and_at_most_two_a_card(drawn: list[tuple[str, int, int, int]]) -> None:
    rows = [
        attempt(f"a{n}", status, card=f"c{place}", created=ago(HOUR * age), updated=ago(old), sequence=n)
        for n, (status, place, age, old) in enumerate(drawn)
    ]
    found = list(findings(rows, card("c0", "Done"), card("c1")))
    assert found == sorted(
        found,
        key=lambda finding: (
            NOW - finding.attempt.finished_at,
            NOW - finding.attempt.created_at,
            finding.attempt.sequence,
        ),
    )
    slots = [(finding.attempt.card_id, finding.kind == "stuck") for finding in found]
    assert len(slots) == len(set(slots))
    for finding in found:
        newer = [
            row
            for row in rows
            if row.card_id == finding.attempt.card_id and row.created_at > finding.attempt.created_at
        ]
        if finding.kind == "failed":
            assert all(row.status != "succeeded" for row in newer)
