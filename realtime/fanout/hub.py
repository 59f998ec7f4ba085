"""The hub: which readers are on which channel, in this process, and so the way of a message to the sockets.

1. `Hub.publish` gives a batch to the lane of its channel.
2. `BroadcastQueue` goes round the readers, some in each turn of the loop, and joins what is published meanwhile.
3. `Subscriber.put_next` takes it for one reader: while its stream sleeps, it hands the batch to the direct writer;
   otherwise, and where the direct writer has no room, the batch waits in the queue and the stream is woken.
4. The direct writer (`server.transports.direct_writers`) writes the bytes to the socket. The first subscriber of this
   exit makes them, and the batch caches them for the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from realtime.fanout.broadcast_queue import BroadcastQueue
from realtime.fanout.subscriber import Subscriber
from realtime.fanout.writer_priority import WriterPriority
from realtime.messages.batches import Batch
from realtime.messages.channels import Channel
from realtime.messages.envelopes import Envelope

__all__ = ["Hub", "HubStatistics"]


@dataclass(frozen=True, slots=True)
class HubStatistics:
    """What the hub holds at one moment."""

    channels: int
    subscribers: int
    #: How many subscribers have left since the hub was made: the streams that are closed, whatever ended them.
    left: int = field(default=0, compare=False)


class Hub:
    """Channel → lane of readers. Nothing in it waits for a reader."""

    def __init__(self, way: WriterPriority) -> None:
        """Start without readers; their lanes keep out of `way`."""
        self._way = way
        self._queues: dict[Channel, BroadcastQueue] = {}
        self._left = 0

    @contextmanager
    def subscribe(self, channel: Channel, subscriber: Subscriber) -> Iterator[Subscriber]:
        """Put `subscriber` on `channel` for as long as the block runs; an empty channel disappears."""
        queue = self._queues.setdefault(channel, BroadcastQueue(self._way))
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

    def has_readers(self, channel: Channel) -> bool:
        """Tell whether anybody would get what is published to `channel`."""
        return channel in self._queues

    def publish(self, channel: Channel, batch: Sequence[Envelope]) -> None:
        """Give `batch` to every reader of `channel`, in order; see `BroadcastQueue` for when."""
        queue = self._queues.get(channel)
        if queue is not None:
            queue.publish(Batch(batch))

    def lose(self, channel: Channel) -> None:
        """Let each reader of `channel` have a `gap` and the present, instead of what it could not be given."""
        queue = self._queues.get(channel)
        if queue is not None:
            queue.lose()

    def end(self, channel: Channel, reason: Exception, batch: Sequence[Envelope] = ()) -> None:
        """Give `batch` to every reader of `channel` as its last, then end it with `reason`."""
        queue = self._queues.pop(channel, None)
        if queue is not None:
            queue.publish(Batch(batch))
            queue.end(reason)

    def channels(self) -> tuple[Channel, ...]:
        """Return the channels that have readers."""
        return tuple(self._queues)

    def statistics(self) -> HubStatistics:
        """Count channels and readers."""
        return HubStatistics(len(self._queues), sum(map(len, self._queues.values())), self._left)
