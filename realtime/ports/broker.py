"""The broker: carries stored events from the node that wrote them to every node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from realtime.ports.log import StoredEvent

__all__ = ["Broker", "Handler"]

#: Receives published events on a node; it never waits for subscribers.
Handler = Callable[[Sequence[StoredEvent]], None]


class Broker(Protocol):
    """Carries stored events to every node, including the publishing one.

    Delivery is at most once, per channel in the order of publishing. A lost, late or repeated batch does no harm, nor
    does an error of `publish`: a node accepts only the next offset, and reads missing events from the log.
    """

    def subscribe(self, handler: Handler) -> None:
        """Call `handler` with each batch that is published from now on."""

    def publish(self, batch: Sequence[StoredEvent]) -> Awaitable[None]:
        """Publish a batch; return once the subscribers of this node have it in their queues."""
