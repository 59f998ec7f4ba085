"""The overview equals the recorded one byte for byte, except for the departure. Its lists have limits and orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.clock import iso
from realtime.dashboard.rows import AgentRow, ProjectRow
from realtime.dashboard.time_range import DEFAULT_TIME_RANGE, TimeRangePreset, parse_time_range, time_range_from_query
from realtime.kanban.ids import BoardId
from tests.unit.realtime.dashboard.counting import Tables, overview_of
from tests.unit.realtime.dashboard.recording import Json, cases, expected_overview, query_of, recorded_now, tables_of
from tests.unit.realtime.dashboard.samples import ALL_TIME, NOW, ago, attempt, board, card

RECORDED = [pytest.param(case, query, id=f"{case['name']} {query}") for case in cases() for query in case["overviews"]]
STATUSES = st.sampled_from(["queued", "running", "stopping", "succeeded", "failed", "stopped"])
#: Few different times, so that many are equal.
SECONDS = st.integers(min_value=1, max_value=5)


@pytest.mark.parametrize(("case", "query"), RECORDED)
def test_recorded_rows_give_recorded_overview(case: Json, query: str) -> None:
    overview = overview_of(tables_of(case), time_range_from_query(query_of(query)), recorded_now())
    expected = expected_overview(case, query)
    assert overview.to_wire() == expected
    assert overview.to_json() == orjson.dumps(expected)


def test_recording_holds_all_ranges() -> None:
    assert len(RECORDED) >= 39
    assert {query for case in cases() for query in case["overviews"]} >= {
        f"?timeRangePreset={preset}" for preset in TimeRangePreset
    }


@given(
    st.lists(st.tuples(STATUSES, SECONDS, SECONDS, st.integers(0, 4)), max_size=12), st.randoms(use_true_random=False)
)
def test_order_of_rows_does_not_matter(drawn: list[tuple[str, int, int, int]], random: Random) -> None:
    attempts = [
        attempt(f"a{n}", status, card=f"c{place}", created=ago(10_000 * age), updated=ago(old), sequence=n)
        for n, (status, age, old, place) in enumerate(drawn)
    ]
    rows = board(*(card(f"c{n}") for n in range(3)), attempts=attempts)
    shuffled = replace(rows, attempts=random.sample(attempts, len(attempts)))
    assert overview_of(shuffled, ALL_TIME, NOW) == overview_of(rows, ALL_TIME, NOW)


@settings(max_examples=20)
@given(st.lists(st.tuples(STATUSES, SECONDS), min_size=190, max_size=420))
def test_lists_hold_latest_attempts_up_to_limit(drawn: list[tuple[str, int]]) -> None:
    attempts = [attempt(f"a{n}", status, updated=ago(old), sequence=n) for n, (status, old) in enumerate(drawn)]
    overview = overview_of(board(card(), attempts=attempts), DEFAULT_TIME_RANGE, NOW)
    # The sort is stable: attempts of equal times stay in order of creation.
    latest = sorted(attempts, key=lambda row: row.updated_at, reverse=True)
    active = [row.id for row in latest if row.is_active]
    over = [row.id for row in latest if not row.is_active]
    assert [entry.attempt_id for entry in overview.active_attempts] == active[:200]
    assert [entry.attempt_id for entry in overview.recent_attempt_activity] == over[:40]
    assert overview.metrics.active_attempts == len(active)
    assert overview.metrics.by_key["attempts.completed"].total == len(over)


@given(st.lists(SECONDS, max_size=12))
def test_snapshots_show_six_newest_projects(ages: list[int]) -> None:
    projects = [ProjectRow(BoardId(f"p{n}"), "P", "/p", ago(age)) for n, age in enumerate(ages)]
    overview = overview_of(Tables(projects=projects), DEFAULT_TIME_RANGE, NOW)
    newest = sorted(projects, key=lambda project: project.created_at, reverse=True)
    assert [snapshot.id for snapshot in overview.project_snapshots] == [project.id for project in newest][:6]
    assert overview.metrics.by_key["projects.total"].total == len(projects)


def test_active_attempt_counts_outside_range() -> None:
    rows = board(card(), attempts=[attempt("a", "running", created=ago(40 * 86_400))])
    overview = overview_of(rows, DEFAULT_TIME_RANGE, NOW)
    assert (overview.metrics.active_attempts, overview.attempts_in_range) == (1, 0)
    assert [entry.attempt_id for entry in overview.active_attempts] == ["a"]
    assert overview.project_snapshots[0].active_attempts == 1


def test_attempt_ending_in_range_is_activity_though_created_before() -> None:
    rows = board(card(), attempts=[attempt("a", created=ago(40 * 86_400), ended=ago(1))])
    overview = overview_of(rows, DEFAULT_TIME_RANGE, NOW)
    assert [entry.attempt_id for entry in overview.recent_attempt_activity] == ["a"]
    assert overview.attempts_in_range == 0


def test_attempt_without_end_is_no_activity() -> None:
    rows = board(card(), attempts=[attempt("a", "failed", ended=None)])
    overview = overview_of(rows, ALL_TIME, NOW)
    assert overview.recent_attempt_activity == ()
    assert overview.metrics.by_key["attempts.completed"].total == 0


@pytest.mark.parametrize(
    ("begun", "seconds"),
    [
        pytest.param({"started": ago(30)}, 20, id="started"),
        pytest.param({"started": ago(10.4)}, 0, id="part of a second"),
        pytest.param({"started": None, "created": ago(71.9)}, 61, id="never started"),
        pytest.param({"started": ago(9)}, None, id="ended before it started"),
    ],
)
def test_duration_counts_whole_seconds(begun: dict[str, object], seconds: int | None) -> None:
    row = attempt("a", created=ago(60), ended=ago(10))
    row = replace(row, started_at=begun["started"], created_at=begun.get("created", row.created_at))  # type: ignore[arg-type]  # parameters of one test
    (activity,) = overview_of(board(card(), attempts=[row]), ALL_TIME, NOW).recent_attempt_activity
    assert activity.duration_seconds == seconds
    assert activity.model_dump(by_alias=True).get("durationSeconds", None) == seconds


def test_attempt_of_unknown_card_and_project_has_no_names() -> None:
    rows = Tables(attempts=[attempt("a", "running", project="gone", card="lost")])
    (active,) = overview_of(rows, ALL_TIME, NOW).to_wire()["activeAttempts"]
    assert active == {
        "attemptId": "a",
        "projectId": None,
        "projectName": None,
        "cardId": "lost",
        "cardTitle": None,
        "ticketKey": None,
        "agentId": "CODEX",
        "status": "running",
        "startedAt": None,
        "updatedAt": iso(ago(60)),
    }


def test_agent_not_registered_counts_in_totals_only() -> None:
    attempts = [attempt("a", agent="ECHO"), attempt("b", "failed", agent="CODEX")]
    rows = replace(board(card(), attempts=attempts), agents=[AgentRow("CODEX", "Codex")])
    overview = overview_of(rows, DEFAULT_TIME_RANGE, NOW)
    assert [(agent.agent_id, agent.attempts_in_range) for agent in overview.agent_stats] == [("CODEX", 1)]
    assert (overview.attempts_in_range, overview.success_rate_in_range) == (2, 0.5)


def test_window_includes_start_and_excludes_end() -> None:
    edges = {"at start": ago(86_400), "before start": ago(86_400.001), "at end": NOW, "before end": ago(0.001)}
    attempts = [attempt(name, created=at, card=name) for name, at in edges.items()]
    overview = overview_of(board(attempts=attempts), time_range_from_query({"range": "24h"}), NOW)
    assert overview.attempts_in_range == 2
    assert {entry.attempt_id for entry in overview.recent_attempt_activity} == {"at start", "before end"}


def test_overview_keeps_milliseconds() -> None:
    wire = overview_of(Tables(), DEFAULT_TIME_RANGE, NOW).to_wire()
    assert wire["generatedAt"] == wire["updatedAt"] == wire["timeRange"]["to"] == "2025-03-01T12:00:00.500Z"
    assert wire["timeRange"]["from"] == iso(NOW - timedelta(days=7))


@pytest.mark.parametrize(("to", "stuck"), [("2025-02-20T00:09:59.999Z", []), ("2025-02-20T00:10:00Z", [600])])
def test_attempt_hangs_as_of_end_of_range(to: str, stuck: list[int]) -> None:
    rows = board(card(), attempts=[attempt("a", "queued", created=datetime(2025, 2, 20, tzinfo=UTC))])
    overview = overview_of(rows, parse_time_range(from_="2025-02-20", to=to), NOW)
    assert [item.stuck_for_seconds for item in overview.inbox_items.stuck] == stuck


def test_agents_without_an_entry_are_counted() -> None:
    for count, omitted in ((200, None), (201, 1), (30_000, 29_800)):
        overview = overview_of(Tables(agents=[AgentRow(f"A{n}", f"A{n}") for n in range(count)]), ALL_TIME, NOW)
        wire = overview.to_wire()
        assert (len(wire["agentStats"]), wire.get("agentsOmitted"), overview.agents_omitted) == (200, omitted, omitted)
        assert ("agentsOmitted" in wire) is (omitted is not None)
        assert len(overview.to_json()) < 100_000
