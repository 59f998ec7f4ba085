"""The counters of the node in the form of Prometheus. Nothing is counted here: a scrape reads the node's counters.

No label contains text from a client. The labels are exits, reasons and codes, which are fixed words, and the name of
the node if there may be several; boards and tokens are no labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from realtime.fanout.counters import Counters, ExitCounters
from realtime.fanout.histogram import Histogram
from realtime.service.roster import Figures

__all__ = ["FiguresCollector", "NodeCollector", "make_registry"]

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
#: Metric → its help text, and the function that reads it from the figures of a node.
_GAUGES: dict[str, tuple[str, Callable[[Figures], int]]] = {
    "boardcast_heads_behind": ("Boards that are behind the log now.", lambda figures: figures.heads_behind),
    "boardcast_broker_up": ("1 if hints reach the other nodes.", lambda figures: not figures.broker_problem),
    "boardcast_leader": ("1 on the node with the jobs of the installation.", lambda figures: figures.is_leader),
}
_COUNTS: dict[str, tuple[str, Callable[[Figures], int]]] = {
    "boardcast_repairs": ("Times that missed events were read from the log.", lambda figures: figures.repairs),
    "boardcast_hints_lost": (
        "Times that hints were lost.",
        lambda figures: figures.hints_lost,
    ),
    "boardcast_hint_retries": (
        "Times that the broker was connected again.",
        lambda figures: figures.hint_retries,
    ),
    "boardcast_pool_waits": (
        "Requests that waited for the database.",
        lambda figures: figures.pool_waits,
    ),
}


#: Metric → its help text, and the function that reads the histogram of an exit, or of the node.
_EXIT_HISTOGRAMS: dict[str, tuple[str, Callable[[ExitCounters], Histogram]]] = {
    "boardcast_delivery_seconds": (
        "Time from publishing, right after the commit, until the message is sent to a client.",
        lambda exit: exit.delivery,
    ),
    "boardcast_queued_envelopes": (
        "Envelopes that waited for a subscriber when its stream took them.",
        lambda exit: exit.queued,
    ),
}
_HISTOGRAMS: dict[str, tuple[str, Callable[[Counters], Histogram]]] = {
    "boardcast_unit_seconds": (
        "Time of a write unit from its request until it is stored and published.",
        lambda counters: counters.unit,
    ),
    "boardcast_waiting_units": (
        "Write units that waited when a group was begun.",
        lambda counters: counters.waiting_units,
    ),
    "boardcast_group_units": ("Write units of a group.", lambda counters: counters.group_units),
    "boardcast_store_write_seconds": (
        "Time of a transaction of a group in the store.",
        lambda counters: counters.store_write,
    ),
    "boardcast_broker_publish_seconds": (
        "Time in which the broker took a part of a group.",
        lambda counters: counters.broker_publish,
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
        yield from self._histograms()

    def _histograms(self) -> Iterator[Metric]:
        for metric, (text, of_exit) in _EXIT_HISTOGRAMS.items():
            family = HistogramMetricFamily(metric, text, labels=["exit"])
            for name, exit in self._counters.exits.items():
                family.add_metric([name], *_parts(of_exit(exit)))
            yield family
        for metric, (text, of_node) in _HISTOGRAMS.items():
            family = HistogramMetricFamily(metric, text)
            family.add_metric([], *_parts(of_node(self._counters)))
            yield family


class FiguresCollector(Collector):
    """Gives the registry the figures of a node among others."""

    def __init__(self, read: Callable[[], Figures]) -> None:
        """Read the figures by `read`."""
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Return nothing, as `NodeCollector` does."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield each figure."""
        figures = self._read()
        for name, (text, gauge) in _GAUGES.items():
            yield GaugeMetricFamily(name, text, value=gauge(figures))
        for name, (text, count) in _COUNTS.items():
            yield CounterMetricFamily(name, text, value=count(figures))


class _Labelled(Collector):
    """Adds the label `node` to all samples: workers share an address, and a scrape reaches one of them."""

    def __init__(self, inner: Collector, node: str) -> None:
        self._inner = inner
        self._node = node

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        for family in self._inner.collect():
            family.samples = [one._replace(labels={**one.labels, "node": self._node}) for one in family.samples]
            yield family


def make_registry(counters: Counters, figures: Callable[[], Figures], node: str = "") -> CollectorRegistry:
    """Return the registry for `/metrics`: the node's counters and figures, and memory, CPU and descriptors.

    `node` is the name of a node that may have others beside it.
    """
    registry = CollectorRegistry()
    for one in (NodeCollector(counters), FiguresCollector(figures), ProcessCollector(registry=None)):
        registry.register(_Labelled(one, node) if node else one)
    return registry


def _parts(histogram: Histogram) -> tuple[list[tuple[str, int]], float]:
    # Prometheus writes infinity so.
    named = [("+Inf" if math.isinf(bound) else str(bound), count) for bound, count in histogram.cumulative()]
    return named, histogram.total


def _by_reason(metric: str, text: str, counted: Mapping[str, Mapping[str, int]]) -> Metric:
    family = CounterMetricFamily(metric, text, labels=["exit", "reason"])
    for exit, reasons in counted.items():
        for reason, count in reasons.items():
            family.add_metric([exit, reason], count)
    return family
