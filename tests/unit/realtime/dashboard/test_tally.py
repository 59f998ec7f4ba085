"""The tally: every attempt is counted for its project and its agent, and lies on the right piles."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from realtime.dashboard.rows import AttemptRow
from realtime.dashboard.tally import Counts, tally
from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from tests.unit.realtime.dashboard.samples import NOW, ago, attempt

DAY = 86_400
WINDOW = DEFAULT_TIME_RANGE.window(NOW)

ATTEMPTS = st.lists(
    st.builds(
        lambda status, created, ended, place: attempt(
            "a", status, created=ago(created * DAY), ended=ago(ended * DAY), project=f"p{place}", agent=f"A{place}"
        ),
        st.sampled_from(["queued", "running", "stopping", "succeeded", "failed", "stopped"]),
        st.integers(-1, 9),
        st.integers(-1, 9),
        st.integers(0, 2),
    ),
    max_size=20,
)


@given(ATTEMPTS)
def test_piles_and_counts_agree(rows: list[AttemptRow]) -> None:
    found = tally(rows, WINDOW)
    assert found.active == [row for row in rows if row.is_active]
    assert found.created == [row for row in rows if row.created_at in WINDOW]
    assert found.completed == [row for row in rows if not row.is_active and row.ended_at in WINDOW]
    assert found.succeeded == sum(row.status == "succeeded" for row in found.created)


@given(ATTEMPTS)
def test_parts_add_up_to_all(rows: list[AttemptRow]) -> None:
    found = tally(rows, WINDOW)
    failed = sum(row.status == "failed" for row in found.created)
    total = (len(found.active), len(found.created), found.succeeded, failed)
    assert summed(found.by_project.values()) == summed(found.by_agent.values()) == total
    for project, counts in found.by_project.items():
        created = [row.created_at for row in rows if row.project_id == project]
        assert counts.last_created == max(created)
        assert counts.last_in_range == max((at for at in created if at in WINDOW), default=None)


def summed(parts: Iterable[Counts]) -> tuple[int, int, int, int]:
    """Add up counts."""
    counts = list(parts)
    return (
        sum(part.active for part in counts),
        sum(part.in_range for part in counts),
        sum(part.succeeded for part in counts),
        sum(part.failed for part in counts),
    )
