"""The hub: which readers are on which channel, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from realtime.batches import Batch
from realtime.channels import Channel
from realtime.envelopes import Envelope
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
    """Channel → subscribers. Nothing in it waits, so publishing to a channel is one step for all its readers."""

    def __init__(self) -> None:
        """Start without readers."""
        self._channels: dict[Channel, dict[Subscriber, None]] = {}
        self._left = 0

    @contextmanager
    def subscribe(self, channel: Channel, subscriber: Subscriber) -> Iterator[Subscriber]:
        """Put `subscriber` on `channel` for as long as the block runs; an empty channel disappears."""
        readers = self._channels.setdefault(channel, {})
        readers[subscriber] = None
        subscriber.registered.set()
        try:
            with subscriber.account.reading():
                yield subscriber
        finally:
            del readers[subscriber]
            self._left += 1
            if not readers:
                self._channels.pop(channel, None)

    def has_readers(self, channel: Channel) -> bool:
        """Tell whether anybody would get what is published to `channel`."""
        return channel in self._channels

    def publish(self, channel: Channel, batch: Sequence[Envelope]) -> None:
        """Give `batch` to every reader of `channel`, in order."""
        shared = Batch(batch)
        for subscriber in self._channels.get(channel, ()):
            subscriber.put_nowait(shared)

    def end(self, channel: Channel, reason: Exception, batch: Sequence[Envelope] = ()) -> None:
        """Give `batch` to every reader of `channel` as its last, then end it with `reason`."""
        shared = Batch(batch)
        for subscriber in self._channels.get(channel, ()):
            subscriber.put_nowait(shared)
            subscriber.end(reason)

    def channels(self) -> tuple[Channel, ...]:
        """Return the channels that have readers."""
        return tuple(self._channels)

    def statistics(self) -> HubStatistics:
        """Count channels and readers."""
        return HubStatistics(len(self._channels), sum(map(len, self._channels.values())), self._left)
