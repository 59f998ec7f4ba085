"""Connection lifetimes: how the server ends the connections of this process.

The server ends a connection because it stops, or because the connection has reached its longest lifetime. The exits
know what a connection is, and how their protocol announces its end.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from realtime.errors import Draining, LifetimeReached, StreamEnded
from realtime.fanout.light_event import LightEvent
from realtime.fanout.subscriber import Subscriber
from realtime.messages.envelopes import goodbye

__all__ = ["ConnectionLifetime", "ConnectionLifetimes", "Goodbye"]

#: Connections that are ended in one turn of the event loop.
BATCH = 50
#: Most seconds between two batches; few connections are ended without a pause.
PAUSE_SECONDS = 0.02
#: A stopping server spreads the reconnections of its clients over these milliseconds: at least, and at most.
RECONNECT_MS, MAX_RECONNECT_MS = (500, 5000), 60_000
#: Milliseconds by which each client widens that spread: the next server has so long for each of them.
RECONNECT_MS_EACH = 5
#: Milliseconds after which a client reconnects when its connection has reached its lifetime; jitter spreads those ends.
LIFETIME_RECONNECT_MS = (100, 1000)
#: Fraction of the lifetime by which a connection may end earlier, so that connections of one moment end apart.
LIFETIME_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Why a connection ends, and when its client should reconnect."""

    reason: StreamEnded
    reconnect_after_ms: int

    def send(self, subscriber: Subscriber) -> None:
        """Queue a `goodbye` behind what waits for `subscriber`, and end it with the reason."""
        subscriber.put_nowait((goodbye(self.reason.code, self.reconnect_after_ms),))
        subscriber.end(self.reason)


class ConnectionLifetime:
    """The lifetime of one connection, with its subscribers.

    1. `end` sends a goodbye to each subscriber of the connection; a subscriber that is added later gets it at once.
    2. `ended` and `watch` inform the connection itself, which may have no subscriber. It closes after its subscribers.
    """

    __slots__ = ("_ended", "_goodbye", "_subscribers", "_watcher")

    def __init__(self) -> None:
        """Start without subscribers, and not ended."""
        self._subscribers: dict[Subscriber, None] = {}
        self._goodbye: Goodbye | None = None
        self._watcher: Callable[[Goodbye], object] | None = None
        self._ended = LightEvent()

    def end(self, goodbye: Goodbye) -> None:
        """End the connection with `goodbye`; only the first call counts."""
        if self._goodbye is None:
            self._goodbye = goodbye
            for subscriber in self._subscribers:
                goodbye.send(subscriber)
            self._ended.set()
            self.watch(self._watcher)

    def watch(self, watcher: Callable[[Goodbye], object] | None) -> None:
        """Call `watcher` with the goodbye, at once or at the end, in place of an earlier watcher; needs no task."""
        self._watcher = watcher
        if watcher is not None and self._goodbye is not None:
            watcher(self._goodbye)

    async def ended(self) -> Goodbye:
        """Wait for the goodbye and return it."""
        while self._goodbye is None:
            await self._ended.wait()
        return self._goodbye

    def add(self, subscriber: Subscriber) -> None:
        """Add a subscriber to the connection."""
        self._subscribers[subscriber] = None
        if self._goodbye is not None:
            self._goodbye.send(subscriber)

    def remove(self, subscriber: Subscriber) -> None:
        """Remove a subscriber that was added."""
        del self._subscribers[subscriber]


class ConnectionLifetimes:
    """The lifetimes in use: by a connection, by subscribers, or by both."""

    def __init__(self, max_seconds: float = 0.0) -> None:
        """Start without any; each connection lasts at most `max_seconds`, 0 = without limit."""
        self._max_seconds = max_seconds
        self._uses: Counter[ConnectionLifetime] = Counter()
        self._vacant = asyncio.Event()
        self._vacant.set()
        self._closing: Callable[[], Goodbye] | None = None

    def __len__(self) -> int:
        """Return the number in use."""
        return len(self._uses)

    @contextmanager
    def open(self, lifetime: ConnectionLifetime | None = None) -> Iterator[ConnectionLifetime]:
        """Begin the lifetime of a connection, for the length of the block.

        `lifetime` is given if subscribers used it before the connection was there.
        """
        used = lifetime or ConnectionLifetime()
        self._take(used)
        timer = self._timer(used)
        try:
            yield used
        finally:
            if timer is not None:
                timer.cancel()
            self._give_back(used)

    @contextmanager
    def reading(self, subscriber: Subscriber, lifetime: ConnectionLifetime | None = None) -> Iterator[None]:
        """Have a subscriber on its connection for the length of the block; without `lifetime` it has one of its own."""
        used = lifetime or ConnectionLifetime()
        self._take(used)
        timer = self._timer(used) if lifetime is None else None
        used.add(subscriber)
        try:
            yield
        finally:
            used.remove(subscriber)
            if timer is not None:
                timer.cancel()
            self._give_back(used)

    async def drain(self, within_seconds: float) -> None:
        """End all connections in batches, spread over at most `within_seconds`; one that begins later ends at once.

        Each goodbye has its own hint when to reconnect.
        """
        lifetimes = list(self._uses)
        self._closing = _shutdown(len(lifetimes))
        batches = [lifetimes[start : start + BATCH] for start in range(0, len(lifetimes), BATCH)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, batch in enumerate(batches):
            # By the clock, not one pause after the other: a late batch is not delayed further.
            due = began + number * min(PAUSE_SECONDS, within_seconds / len(batches))
            await asyncio.sleep(due - loop.time())
            for lifetime in batch:
                lifetime.end(self._closing())

    async def vacated(self) -> None:
        """Wait until none is in use: all connections are closed, and all subscribers have left."""
        await self._vacant.wait()

    def _take(self, lifetime: ConnectionLifetime) -> None:
        self._uses[lifetime] += 1
        self._vacant.clear()
        if self._closing is not None:
            lifetime.end(self._closing())

    def _give_back(self, lifetime: ConnectionLifetime) -> None:
        self._uses[lifetime] -= 1
        if not self._uses[lifetime]:
            del self._uses[lifetime]
        if not self._uses:
            self._vacant.set()

    def _timer(self, lifetime: ConnectionLifetime) -> asyncio.TimerHandle | None:
        if not self._max_seconds:
            return None
        seconds = self._max_seconds * (1 - random.uniform(0, LIFETIME_JITTER))  # no secret
        goodbye = Goodbye(LifetimeReached("the connection has lasted long enough"), _between(*LIFETIME_RECONNECT_MS))
        return asyncio.get_running_loop().call_later(seconds, lifetime.end, goodbye)


def _shutdown(clients: int) -> Callable[[], Goodbye]:
    soonest, latest = RECONNECT_MS
    spread = min(max(latest, clients * RECONNECT_MS_EACH), MAX_RECONNECT_MS)
    return lambda: Goodbye(Draining("the server stops"), _between(soonest, spread))


def _between(least: int, most: int) -> int:
    return random.randint(least, most)  # no secret
