"""The hub: the subscribers of each channel in this process. A batch takes four steps from here to the sockets.

1. `Hub.publish` adds the batch to the broadcast queue of its channel.
2. `BroadcastQueue` delivers it in passes, some subscribers in each turn of the event loop. It joins the batches that
   are published during a pass.
3. `Subscriber.put_next` takes the batch for one subscriber. While the stream of the subscriber sleeps, the direct
   writer gets the batch. Otherwise, or if the direct writer has no room, the batch is queued and the stream wakes up.
4. The direct writer (`server.transports.direct_writers`) writes the bytes to the socket. The first subscriber of this
   exit encodes the batch, and the batch caches the bytes for the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from realtime.fanout.broadcast_queue import BroadcastQueue
from realtime.fanout.subscriber import Subscriber
from realtime.fanout.writer_priority import WriterPriority
from realtime.messages.batches import Batch
from realtime.messages.channels import Channel
from realtime.messages.envelopes import Envelope

__all__ = ["Hub", "HubStatistics"]


@dataclass(frozen=True, slots=True)
class HubStatistics:
    """Numbers of channels and subscribers at one moment."""

    channels: int
    subscribers: int
    #: Subscribers that have left since the hub was made, for whatever reason.
    left: int = field(default=0, compare=False)


class Hub:
    """Channel → broadcast queue of its subscribers. The hub never waits for a subscriber."""

    def __init__(self, priority: WriterPriority) -> None:
        """Start without subscribers; the broadcast queues pause while `priority` says that a unit is being written."""
        self._priority = priority
        self._queues: dict[Channel, BroadcastQueue] = {}
        self._left = 0

    @contextmanager
    def subscribe(self, channel: Channel, subscriber: Subscriber) -> Iterator[Subscriber]:
        """Subscribe `subscriber` to `channel` for the length of the block; a channel without subscribers is removed."""
        queue = self._queues.setdefault(channel, BroadcastQueue(self._priority))
        queue.add(subscriber)
        subscriber.queue = queue
        subscriber.registered.set()
        try:
            with subscriber.metrics.reading():
                yield subscriber
        finally:
            subscriber.queue = None
            queue.remove(subscriber)
            self._left += 1
            if not queue and self._queues.get(channel) is queue:
                del self._queues[channel]

    def has_subscribers(self, channel: Channel) -> bool:
        """Return whether `channel` has a subscriber."""
        return channel in self._queues

    def publish(self, channel: Channel, batch: Sequence[Envelope]) -> None:
        """Deliver `batch` to every subscriber of `channel`, in order; `BroadcastQueue` decides when."""
        queue = self._queues.get(channel)
        if queue is not None:
            now = monotonic()
            for envelope in batch:
                envelope.published_at = now
            queue.publish(Batch(batch))

    def lose(self, channel: Channel) -> None:
        """Make each subscriber of `channel` resync: it gets a `gap` and a `state` in place of undelivered batches."""
        queue = self._queues.get(channel)
        if queue is not None:
            queue.lose()

    def end(self, channel: Channel, reason: Exception, batch: Sequence[Envelope] = ()) -> None:
        """Deliver `batch` as the last one to every subscriber of `channel`, then end each of them with `reason`."""
        queue = self._queues.pop(channel, None)
        if queue is not None:
            queue.publish(Batch(batch))
            queue.end(reason)

    def channels(self) -> tuple[Channel, ...]:
        """Return the channels that have a subscriber."""
        return tuple(self._queues)

    def subscribers(self) -> Iterator[tuple[Channel, Subscriber]]:
        """Yield each subscriber with its channel. Nobody may subscribe or leave meanwhile."""
        for channel, queue in self._queues.items():
            for subscriber in queue.subscribers:
                yield channel, subscriber

    def statistics(self) -> HubStatistics:
        """Return the number of channels, of subscribers now, and of those that have left, for the metrics."""
        return HubStatistics(len(self._queues), sum(map(len, self._queues.values())), self._left)
