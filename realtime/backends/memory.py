"""The broker of a single process: publishing calls the handlers directly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from realtime.errors import BrokerUnusable
from realtime.ports import BrokerStatistics, Handler, Heads, Listener, StoredEvent

__all__ = ["MemoryBroker", "open_memory_broker"]

_URL = "memory://"


class MemoryBroker:
    """Implements `ports.Broker` within one process; it loses nothing."""

    def __init__(self) -> None:
        """Start without handlers."""
        self._handlers: list[Handler] = []

    def subscribe(self, handler: Handler) -> None:
        """Call `handler` with each batch that is published from now on."""
        self._handlers.append(handler)

    def listen(self, listener: Listener) -> None:
        """Do nothing, because there are no other nodes."""

    async def publish(self, batch: Sequence[StoredEvent]) -> None:
        """Call each handler, in order of subscription, even if one fails.

        Raises:
            ExceptionGroup: the exceptions of the failed handlers, after all handlers were called.
        """
        faults: list[Exception] = []
        for handler in self._handlers:
            try:
                handler(batch)
            except Exception as fault:  # noqa: BLE001 - raised below
                faults.append(fault)
        if faults:
            raise ExceptionGroup("handlers failed", faults)

    def announce(self, heads: Heads) -> None:
        """Do nothing, because there are no other nodes."""

    def statistics(self) -> BrokerStatistics:
        """Return zeros, because nothing is lost."""
        return BrokerStatistics()

    async def ping(self) -> None:
        """Return at once."""


@asynccontextmanager
async def open_memory_broker(url: str, installation: str) -> AsyncIterator[MemoryBroker]:
    """Open the broker `memory://` for the length of the block; each node has one of its own.

    Raises:
        BrokerUnusable: `url` is another one.
    """
    if url != _URL:
        raise BrokerUnusable(f"--broker-url: expected {_URL}, got {url!r}")
    yield MemoryBroker()
