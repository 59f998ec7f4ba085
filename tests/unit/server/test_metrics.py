"""The collector: the current numbers of a node, each under its name and labels."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from realtime.fanout.counters import Counters
from realtime.service.roster import Figures
from server.runtime.metrics import NodeCollector, make_registry


def test_collector_reads_the_counters_anew_each_time() -> None:
    counters, registry = Counters(), CollectorRegistry()
    registry.register(NodeCollector(counters))
    labels = {"exit": "board-ws"}
    assert registry.get_sample_value("boardcast_envelopes_sent_total", labels) is None
    exit = counters.exit("board-ws")
    exit.sent, exit.conflated, exit.dropped, exit.readers = 1, 2, 3, 4
    exit.gaps["other_board"] += 5
    exit.ended["client_left"] += 6
    counters.events_stored = 7
    counters.commands_refused["card_is_done"] += 8
    expected = {
        ("boardcast_envelopes_sent_total", ("exit",)): 1,
        ("boardcast_envelopes_conflated_total", ("exit",)): 2,
        ("boardcast_envelopes_dropped_total", ("exit",)): 3,
        ("boardcast_readers", ("exit",)): 4,
        ("boardcast_gaps_total", ("exit", "reason")): 5,
        ("boardcast_readers_ended_total", ("exit", "reason")): 6,
        ("boardcast_events_stored_total", ()): 7,
        ("boardcast_commands_refused_total", ("code",)): 8,
    }
    families = [metric for metric in registry.collect() if metric.type != "histogram"]
    samples = [sample for metric in families for sample in metric.samples]
    assert {(sample.name, tuple(sample.labels)): sample.value for sample in samples} == expected


@pytest.mark.parametrize(("name", "labels"), [("delivery", {"exit": "board-ws"}), ("unit", {})])
def test_histogram_counts_up_to_each_bound(name: str, labels: dict[str, str]) -> None:
    counters = Counters()
    registry = make_registry(counters, Figures)
    for seconds in (0.0004, 0.0005, 0.3, 99.0):
        counters.exit("board-ws").delivery.observe(seconds)
        counters.unit.observe(seconds)

    def value(suffix: str, **more: str) -> float | None:
        return registry.get_sample_value(f"boardcast_{name}_seconds_{suffix}", {**labels, **more})

    counts = [value("bucket", le=bound) for bound in ("0.0005", "0.25", "0.5", "10.0", "+Inf")]
    assert counts == [2, 2, 3, 3, 4]
    assert value("count") == 4
    assert value("sum") == pytest.approx(99.3009)


def test_registries_do_not_share_anything() -> None:
    one, other = Counters(), Counters()
    one.events_stored = 3
    assert make_registry(one, Figures).get_sample_value("boardcast_events_stored_total") == 3
    assert make_registry(other, Figures).get_sample_value("boardcast_events_stored_total") == 0


def test_samples_of_a_node_among_others_name_it() -> None:
    figures = Figures(heads_behind=1, repairs=2, hints_lost=3, hint_retries=4, pool_waits=5, broker_problem="away")
    registry = make_registry(Counters(), lambda: figures, "node-1")
    expected = {
        "boardcast_heads_behind": 1,
        "boardcast_broker_up": 0,
        "boardcast_leader": 1,
        "boardcast_repairs_total": 2,
        "boardcast_hints_lost_total": 3,
        "boardcast_hint_retries_total": 4,
        "boardcast_pool_waits_total": 5,
    }
    assert {name: registry.get_sample_value(name, {"node": "node-1"}) for name in expected} == expected
    assert all(one.labels["node"] == "node-1" for family in registry.collect() for one in family.samples)
