"""Agents: one entry for each registered agent, by label."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.dashboard.agents import agent_stats, label_order
from realtime.dashboard.figures import AGENTS, Counts
from realtime.dashboard.rows import AgentRow
from realtime.dashboard.time_range import TimeRange, TimeRangePreset
from tests.unit.realtime.dashboard.counting import Tables, figures_of
from tests.unit.realtime.dashboard.samples import NOW, ago, attempt

DAY = TimeRange(TimeRangePreset.LAST_24H).window(NOW)


def test_labels_sort_as_people_expect() -> None:
    ordered = ["_x", "10", "2", "agent", "Agent", "Ägent", "Agent 2", "Agent B", "agenta", "Bot", "cat", "Zed", "Ω"]
    backwards = ordered[::-1]
    assert sorted(backwards, key=label_order) == ordered


@given(st.lists(st.text(max_size=5), max_size=5))
def test_any_label_can_be_sorted(labels: list[str]) -> None:
    assert len(sorted(labels, key=label_order)) == len(labels)


def test_equal_labels_stay_in_order_of_registration() -> None:
    stats = agent_stats([AgentRow("Z", "Same"), AgentRow("A", "Same"), AgentRow("M", "First")], {})
    assert [entry.agent_id for entry in stats] == ["M", "Z", "A"]


def test_label_is_ordered_by_its_beginning() -> None:
    long = [AgentRow("B", "b" * 100 + "a"), AgentRow("A", "b" * 100), AgentRow("C", "b" * 99)]
    assert [entry.agent_id for entry in agent_stats(long, {})] == ["C", "B", "A"]


def test_agent_without_attempts_has_null_and_absent_keys() -> None:
    (entry,) = agent_stats([AgentRow("A", "Agent")], {})
    assert entry.model_dump(mode="json", by_alias=True) == {
        "agentId": "A",
        "agentName": "Agent",
        "status": "online",
        "attemptsStarted": 0,
        "attemptsSucceeded": 0,
        "attemptsFailed": 0,
        "attemptsInRange": 0,
        "successRateInRange": None,
        "lastActivityAt": None,
        "hasActivityInRange": False,
    }


@pytest.mark.parametrize("agents", [[AgentRow("A", "Agent")], [AgentRow("A", "Agent"), AgentRow("B", "Bot")]])
def test_rates_are_of_the_range_and_last_active_is_not(agents: list[AgentRow]) -> None:
    rows = [
        attempt("1", "succeeded", agent="A", created=ago(20)),
        attempt("2", "failed", agent="A", created=ago(30)),
        attempt("3", "stopped", agent="A", created=ago(40)),
        attempt("4", "running", agent="A", created=ago(50)),
        attempt("5", "succeeded", agent="A", created=ago(90_000)),
        attempt("6", "succeeded", agent="A", created=ago(-60)),
        attempt("7", "succeeded", agent="B", created=ago(10)),
    ]
    entry = agent_stats(agents, figures_of(Tables(attempts=rows), DAY).by_agent)[0]
    assert (entry.attempts_started, entry.attempts_in_range, entry.has_activity_in_range) == (4, 4, True)
    assert (entry.attempts_succeeded, entry.attempts_failed) == (1, 1)
    assert entry.success_rate == entry.success_rate_in_range == 0.25
    assert (entry.last_activity_at, entry.last_active_at) == (ago(20), ago(-60))


def test_agents_with_the_latest_attempts_are_shown() -> None:
    agents = [AgentRow(f"A{n}", f"Agent {n:04}") for n in range(1000)]
    counts = {f"A{n}": Counts(last_created=ago(n)) for n in range(500, 1000, 5)}
    shown = [entry.agent_id for entry in agent_stats(agents, counts)]
    assert len(shown) == AGENTS
    assert shown == sorted([*(f"A{n}" for n in range(AGENTS - 100)), *counts], key=lambda id: int(id[1:]))


def test_as_many_agents_as_are_shown_are_all_of_them() -> None:
    agents = [AgentRow(f"A{n}", f"Agent {n:04}") for n in range(AGENTS)]
    assert [entry.agent_id for entry in agent_stats(agents, {})] == [agent.key for agent in agents]
