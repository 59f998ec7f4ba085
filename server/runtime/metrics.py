"""The counters of the node in the form of Prometheus. Nothing is counted here: a scrape reads the node's counters.

No label contains text from a client. The labels are exits, reasons and codes, which are fixed words; boards and tokens
are no labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from realtime.fanout.counters import Counters, ExitCounters

__all__ = ["NodeCollector", "make_registry"]

#: Metric → its help text, and the function that reads it from the counters of an exit.
_TOTALS: dict[str, tuple[str, Callable[[ExitCounters], int]]] = {
    "boardcast_envelopes_sent": ("Envelopes handed to clients.", lambda exit: exit.sent),
    "boardcast_envelopes_conflated": (
        "Envelopes that a newer one of their type replaced while they waited in the queue of a subscriber.",
        lambda exit: exit.conflated,
    ),
    "boardcast_envelopes_dropped": (
        "Envelopes dropped because a subscriber was too slow; it got a gap or the end of its stream.",
        lambda exit: exit.dropped,
    ),
}


class NodeCollector(Collector):
    """Gives the registry the counters of a node, with their values at the time of the scrape."""

    def __init__(self, counters: Counters) -> None:
        """Read `counters`."""
        self._counters = counters

    def describe(self) -> Iterable[Metric]:
        """Return nothing; the registry would only compare the names with those of other collectors."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield each metric with all its labels."""
        exits = self._counters.exits
        readers = GaugeMetricFamily("boardcast_readers", "Streams that are open now.", labels=["exit"])
        for name, exit in exits.items():
            readers.add_metric([name], exit.readers)
        yield readers
        for metric, (text, value) in _TOTALS.items():
            total = CounterMetricFamily(metric, text, labels=["exit"])
            for name, exit in exits.items():
                total.add_metric([name], value(exit))
            yield total
        gaps = {name: exit.gaps for name, exit in exits.items()}
        yield _by_reason("boardcast_gaps", "Gaps announced to subscribers.", gaps)
        ended = {name: exit.ended for name, exit in exits.items()}
        yield _by_reason("boardcast_readers_ended", "Streams that ended.", ended)
        yield CounterMetricFamily(
            "boardcast_events_stored", "Events stored in the log.", value=self._counters.events_stored
        )
        refused = CounterMetricFamily("boardcast_commands_refused", "Commands refused.", labels=["code"])
        for code, count in self._counters.commands_refused.items():
            refused.add_metric([code], count)
        yield refused


def make_registry(counters: Counters) -> CollectorRegistry:
    """Return the registry for `/metrics`: the node's counters, and memory, CPU and descriptors of the process."""
    registry = CollectorRegistry()
    registry.register(NodeCollector(counters))
    ProcessCollector(registry=registry)
    return registry


def _by_reason(metric: str, text: str, counted: Mapping[str, Mapping[str, int]]) -> Metric:
    family = CounterMetricFamily(metric, text, labels=["exit", "reason"])
    for exit, reasons in counted.items():
        for reason, count in reasons.items():
            family.add_metric([exit, reason], count)
    return family
