"""Counters: plain numbers, by exit and by reason. `/metrics` reads them at each request.

All but `readers` only grow. Exits and reasons are few and fixed words; no text of a client is among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from realtime.endings import CLIENT_LEFT, Ending, ending_of
from realtime.errors import ChannelGone
from realtime.fanout.histogram import SECONDS, SIZES, Histogram
from realtime.messages.batches import Batch

__all__ = [
    "ConnectionMetrics",
    "Counters",
    "Counts",
    "ExitCounters",
    "StreamEnd",
]

#: Up to so many readers of an exit, each delivery is measured; with more of them about each 16th.
MANY_READERS, SAMPLED = 64, 15


@dataclass(slots=True)
class ExitCounters:
    """The numbers of one exit since the process began."""

    #: Streams that are open now.
    readers: int = 0
    #: Envelopes sent to clients.
    sent: int = 0
    #: Envelopes that a newer one of the same type replaced in a queue (conflation).
    conflated: int = 0
    #: Envelopes dropped because a subscriber was too slow; a `gap` or the end of the stream says so.
    dropped: int = 0
    #: Gaps sent, by reason.
    gaps: Counter[str] = field(default_factory=Counter)
    #: Streams that ended, by reason.
    ended: Counter[str] = field(default_factory=Counter)
    #: Seconds from publishing a batch, right after its commit, until a client is sent it. With many readers a sample.
    delivery: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    #: Envelopes that waited for a subscriber when its stream took them.
    queued: Histogram = field(default_factory=lambda: Histogram(SIZES))

    def sent_batch(self, batch: Batch) -> None:
        """Count a batch that is sent to a client."""
        # Inline, because this runs for each subscriber and batch: 40 ns more than the count alone (measured).
        self.sent = sent = self.sent + len(batch)
        if not sent & SAMPLED or self.readers <= MANY_READERS:
            self._measure(batch.published_at)
        if batch.gaps:
            self.gaps.update(batch.gaps)

    def sent_results(self, count: int, batch: Batch) -> None:
        """Count messages that were made of a batch and are sent to a client."""
        self.sent = sent = self.sent + count
        if not sent & SAMPLED or self.readers <= MANY_READERS:
            self._measure(batch.published_at)

    def _measure(self, published_at: float) -> None:
        if published_at:  # otherwise it was made for this client alone
            self.delivery.observe(monotonic() - published_at)


#: Gets the exit of a stream that has ended, the reason, the seconds that it lasted, and the messages that its
#: connection was sent meanwhile.
StreamEnd = Callable[[str, str, float, int], None]


@dataclass(slots=True)
class ConnectionMetrics:
    """Counts the streams of one connection under its exit."""

    counters: ExitCounters = field(default_factory=ExitCounters)
    exit: str = ""
    #: Called with each stream that ends; None = nobody wants to know, and direct writes do not count `sent`.
    stream_ended: StreamEnd | None = None
    #: Messages that the connection was sent.
    sent: int = 0
    #: Time and `sent` at the beginning of a stream that stays open without its channel.
    open_since: tuple[float, int] | None = None
    #: Why its streams end if they have no reason of their own. Code that closes the connection sets it before.
    close_reason: Ending = CLIENT_LEFT

    @property
    def counts(self) -> Counts:
        """What counts a direct write: the exit alone, unless the messages of each stream are wanted too."""
        return self.counters if self.stream_ended is None else self

    def sent_batch(self, batch: Batch) -> None:
        """Count a batch that is sent to the client."""
        self.sent += len(batch)
        self.counters.sent_batch(batch)

    def sent_results(self, count: int, batch: Batch) -> None:
        """Count messages that were made of a batch and are sent to the client."""
        self.sent += count
        self.counters.sent_results(count, batch)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Count a stream as open for the length of the block, and then the reason of its end.

        A stream that stays open without its channel (`ChannelGone`) is counted as ended after its next block.
        """
        self.counters.readers += 1
        began, sent = self.open_since or (monotonic(), self.sent)
        ended_by: BaseException | None = None
        try:
            yield
        except BaseException as error:
            ended_by = error
            raise
        finally:
            self.counters.readers -= 1
            self.open_since = (began, sent) if isinstance(ended_by, ChannelGone) else None
            if self.open_since is None:
                reason = self._reason_of(ended_by)
                self.counters.ended[reason] += 1
                if self.stream_ended is not None:
                    self.stream_ended(self.exit, reason, monotonic() - began, self.sent - sent)

    def _reason_of(self, error: BaseException | None) -> str:
        # Without an error, or with one that is no `Exception`, the stream was closed or cancelled.
        row = ending_of(error) if isinstance(error, Exception) else self.close_reason
        return row.metric


#: What counts the messages that a client is sent.
Counts = ExitCounters | ConnectionMetrics


@dataclass(slots=True)
class Counters:
    """All counters of a node."""

    #: Name of the exit → its counters; `exit` adds them.
    exits: dict[str, ExitCounters] = field(default_factory=dict)
    #: Events that this process stored in the log.
    events_stored: int = 0
    #: Wants to know each stream that ends; None = nobody does.
    stream_ended: StreamEnd | None = None
    #: Refused commands, by code.
    commands_refused: Counter[str] = field(default_factory=Counter)
    #: Seconds from the request of a write unit until it is stored and published, with its wait.
    unit: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    #: Units that waited when a group was begun, those of the group among them.
    waiting_units: Histogram = field(default_factory=lambda: Histogram(SIZES))
    #: Units of a group.
    group_units: Histogram = field(default_factory=lambda: Histogram(SIZES))
    #: Seconds of a transaction of a group in the store.
    store_write: Histogram = field(default_factory=lambda: Histogram(SECONDS))
    #: Seconds in which the broker took a part of a group, up to the queues of this node's subscribers.
    broker_publish: Histogram = field(default_factory=lambda: Histogram(SECONDS))

    def exit(self, name: str) -> ExitCounters:
        """Return the counters of an exit."""
        return self.exits.setdefault(name, ExitCounters())
