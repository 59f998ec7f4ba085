"""The broker: gives stored events to this node, and tells the others which channels have gone on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from realtime.messages.channels import Channel
from realtime.ports.log import StoredEvent

__all__ = ["Broker", "BrokerStatistics", "Handler", "Heads", "Listener"]

#: Receives published events on a node; it never waits for subscribers.
Handler = Callable[[Sequence[StoredEvent]], None]
#: Channel → offset of its last event. `ACCESS` and `DASHBOARD` have no events; there, any number means a change.
Heads = Mapping[Channel, int]
#: Receives the heads of channels to which other nodes have written; None = hints may have been lost, of any channel.
Listener = Callable[[Heads | None], None]


class BrokerStatistics(NamedTuple):
    """The numbers of a broker since it was opened."""

    #: Times that hints were lost, of this node or to it.
    lost: int = 0
    #: Times that the line to the other nodes had to be opened again.
    retries: int = 0
    #: Why hints do not reach the other nodes now; empty = they do, as far as known.
    problem: str = ""


class Broker(Protocol):
    """Gives stored events to the handlers of this node, and hints to the listeners of the others.

    A hint is a head. It may be lost, late, repeated or out of order, and a whole broker may be silent: a node reads the
    events from the log, and compares the heads of what it watches by itself. So a broker only makes that faster. An
    error of `publish` does no harm either, because a node accepts only the next offset.
    """

    def subscribe(self, handler: Handler) -> None:
        """Call `handler` with each batch that this node publishes from now on."""

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the hints of other nodes from now on, and with None whenever some may be lost."""

    def publish(self, batch: Sequence[StoredEvent]) -> Awaitable[None]:
        """Publish a batch; return once the subscribers of this node have it in their queues.

        The others get its heads. That takes a moment, for which nobody waits.
        """

    def announce(self, heads: Heads) -> None:
        """Give heads to the listeners of the other nodes, soon; it does not wait."""

    def statistics(self) -> BrokerStatistics:
        """Return the numbers of this node."""

    async def ping(self) -> None:
        """Return if hints reach the other nodes, as far as known.

        Raises:
            BrokerUnavailable: they do not.
        """
