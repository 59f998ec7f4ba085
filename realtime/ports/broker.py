"""The broker: carries stored events from the node that wrote them to every node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from realtime.ports.log import StoredEvent

__all__ = ["Broker", "Handler"]

#: Takes published events on a node; never waits for readers.
Handler = Callable[[Sequence[StoredEvent]], None]


class Broker(Protocol):
    """Carries stored events to every node, the publishing one included.

    At most once, in the order of publishing per channel. A lost, late or repeated batch does no harm, and neither
    does an error of `publish`: nodes take the next offset, and read the rest in the log.
    """

    def subscribe(self, handler: Handler) -> None:
        """Call `handler` with each batch from now on."""

    def publish(self, batch: Sequence[StoredEvent]) -> Awaitable[None]:
        """Hand a batch over; returns when this node's readers have it in their queues."""
