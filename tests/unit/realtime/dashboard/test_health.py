"""Project health: scores, and both sides of each threshold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.dashboard.health import project_health, ratio

COUNT = st.integers(min_value=0, max_value=20)


@given(COUNT, COUNT, COUNT, COUNT)
def test_health_follows_from_counts(open_cards: int, active: int, in_range: int, failed: int) -> None:
    failed = min(failed, in_range)
    health = project_health(open_cards, active, in_range, failed)
    assert health.activity_score == open_cards + 3 * active + 2 * in_range
    assert health.failure_rate_in_range == (failed / in_range if in_range else 0)
    assert health.is_high_activity == (health.activity_score >= 10 and (open_cards, in_range) != (0, 0))
    assert health.is_at_risk == (in_range >= 5 and 2 * failed >= in_range)


@pytest.mark.parametrize(
    ("counts", "high", "risk", "notes"),
    [
        ((0, 0, 0, 0), False, False, "No cards or attempts in selected range"),
        ((0, 9, 0, 0), False, False, "No cards or attempts in selected range"),
        ((9, 0, 0, 0), False, False, "Open cards with no recent attempts"),
        ((10, 0, 0, 0), True, False, "Open cards with no recent attempts"),
        ((7, 0, 1, 1), False, False, "Moderate activity and low failure rate"),
        ((8, 0, 1, 1), True, False, "High activity with multiple open cards and attempts"),
        ((0, 1, 4, 4), True, False, "High activity with multiple open cards and attempts"),
        ((0, 0, 5, 2), True, False, "High activity with multiple open cards and attempts"),
        ((0, 0, 5, 3), True, True, "High failure rate with sufficient recent attempts"),
        ((0, 0, 6, 3), True, True, "High failure rate with sufficient recent attempts"),
    ],
)
def test_notes_name_what_matters_most(counts: tuple[int, int, int, int], high: bool, risk: bool, notes: str) -> None:
    health = project_health(*counts)
    assert (health.is_high_activity, health.is_at_risk, health.notes) == (high, risk, notes)


def test_ratio_of_nothing_is_zero() -> None:
    assert (ratio(0, 0), ratio(1, 4)) == (0, 0.25)
