"""The hub: which readers are on which channel, in this process, and so the way of a message to the sockets.

1. `Hub.publish` gives a batch to the lane of its channel.
2. `Lane` goes round the readers, some in each turn of the loop, and joins what is published meanwhile.
3. `Subscriber.put_next` takes it for one reader: while its stream sleeps, it hands the batch to the outlet; otherwise,
   and where the outlet has no room, the batch waits in the queue and the stream is woken.
4. The outlet (`server.outlets`) writes to the socket the bytes that the first reader of this exit made of the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from realtime.batches import Batch
from realtime.channels import Channel
from realtime.envelopes import Envelope
from realtime.lane import Lane
from realtime.right_of_way import RightOfWay
from realtime.subscriber import Subscriber

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

    def __init__(self, way: RightOfWay) -> None:
        """Start without readers; their lanes keep out of `way`."""
        self._way = way
        self._lanes: dict[Channel, Lane] = {}
        self._left = 0

    @contextmanager
    def subscribe(self, channel: Channel, subscriber: Subscriber) -> Iterator[Subscriber]:
        """Put `subscriber` on `channel` for as long as the block runs; an empty channel disappears."""
        lane = self._lanes.setdefault(channel, Lane(self._way))
        lane.add(subscriber)
        subscriber.lane = lane
        subscriber.registered.set()
        try:
            with subscriber.account.reading():
                yield subscriber
        finally:
            subscriber.lane = None
            lane.remove(subscriber)
            self._left += 1
            if not lane and self._lanes.get(channel) is lane:
                del self._lanes[channel]

    def has_readers(self, channel: Channel) -> bool:
        """Tell whether anybody would get what is published to `channel`."""
        return channel in self._lanes

    def publish(self, channel: Channel, batch: Sequence[Envelope]) -> None:
        """Give `batch` to every reader of `channel`, in order; see `Lane` for when."""
        lane = self._lanes.get(channel)
        if lane is not None:
            lane.publish(Batch(batch))

    def lose(self, channel: Channel) -> None:
        """Let each reader of `channel` have a `gap` and the present, instead of what it could not be given."""
        lane = self._lanes.get(channel)
        if lane is not None:
            lane.lose()

    def end(self, channel: Channel, reason: Exception, batch: Sequence[Envelope] = ()) -> None:
        """Give `batch` to every reader of `channel` as its last, then end it with `reason`."""
        lane = self._lanes.pop(channel, None)
        if lane is not None:
            lane.publish(Batch(batch))
            lane.end(reason)

    def channels(self) -> tuple[Channel, ...]:
        """Return the channels that have readers."""
        return tuple(self._lanes)

    def statistics(self) -> HubStatistics:
        """Count channels and readers."""
        return HubStatistics(len(self._lanes), sum(map(len, self._lanes.values())), self._left)
