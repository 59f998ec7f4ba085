"""The collector: the current numbers of a node, each under its name and labels."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from realtime.fanout.counters import Counters
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
    samples = [sample for metric in registry.collect() for sample in metric.samples]
    assert {(sample.name, tuple(sample.labels)): sample.value for sample in samples} == expected


def test_registries_do_not_share_anything() -> None:
    one, other = Counters(), Counters()
    one.events_stored = 3
    assert make_registry(one).get_sample_value("boardcast_events_stored_total") == 3
    assert make_registry(other).get_sample_value("boardcast_events_stored_total") == 0
