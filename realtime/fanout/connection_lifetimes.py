"""ConnectionLifetimes: the connections of this process, and how the server ends them.

It ends them because it stops, or because they have lasted as long as one may. What a connection is, and how its
protocol says that it is over, is left to the exits.
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

#: Connections that are ended in one turn of the event loop; between two batches everything else has its turn.
BATCH = 50
#: Most seconds between two batches: where few connections are left nobody waits for the sake of pacing.
PAUSE_SECONDS = 0.02
#: Readers of a server that stops come back spread over these milliseconds, be they ever so few or so many.
RECONNECT_MS, MAX_RECONNECT_MS = (500, 5000), 60_000
#: Milliseconds by which each reader widens that spread: whoever takes them over has that long for each.
RECONNECT_MS_EACH = 5
#: Who has reached its lifetime comes back after as many milliseconds; such ends are spread already.
LIFETIME_RECONNECT_MS = (100, 1000)
#: Part of the lifetime by which a connection may end earlier: those that began together do not end together.
LIFETIME_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Why a connection ends, and when its client should be back."""

    reason: StreamEnded
    reconnect_after_ms: int

    def tell(self, reader: Subscriber) -> None:
        """Let `reader` have what waits, then `goodbye`, then the reason."""
        reader.put_nowait((goodbye(self.reason.code, self.reconnect_after_ms),))
        reader.end(self.reason)


class ConnectionLifetime:
    """One connection's right to be served, with the readers that are on it.

    1. `end` tells each reader on it; who comes later is told at once.
    2. `ended` lets a connection know, which may have no reader: it closes when its readers are through.
    """

    __slots__ = ("_ended", "_goodbye", "_readers", "_watcher")

    def __init__(self) -> None:
        """Start without readers and without end."""
        self._readers: dict[Subscriber, None] = {}
        self._goodbye: Goodbye | None = None
        self._watcher: Callable[[Goodbye], object] | None = None
        self._ended = LightEvent()

    def end(self, goodbye: Goodbye) -> None:
        """End the connection with `goodbye`; the first call counts."""
        if self._goodbye is None:
            self._goodbye = goodbye
            for reader in self._readers:
                goodbye.tell(reader)
            self._ended.set()
            self.watch(self._watcher)

    def watch(self, watcher: Callable[[Goodbye], object] | None) -> None:
        """Call `watcher`, instead of the one before, with the farewell when there is one; as `ended` without a task."""
        self._watcher = watcher
        if watcher is not None and self._goodbye is not None:
            watcher(self._goodbye)

    async def ended(self) -> Goodbye:
        """Return the farewell, when there is one."""
        while self._goodbye is None:
            await self._ended.wait()
        return self._goodbye

    def add(self, reader: Subscriber) -> None:
        """Have `reader` on the connection until it is removed."""
        self._readers[reader] = None
        if self._goodbye is not None:
            self._goodbye.tell(reader)

    def remove(self, reader: Subscriber) -> None:
        """Forget a reader that was added."""
        del self._readers[reader]


class ConnectionLifetimes:
    """The leases that are in use: by a connection, by readers, by both."""

    def __init__(self, max_seconds: float = 0.0) -> None:
        """Start without any; each connection lasts at most `max_seconds`, 0 = as long as it likes."""
        self._max_seconds = max_seconds
        self._uses: Counter[ConnectionLifetime] = Counter()
        self._vacant = asyncio.Event()
        self._vacant.set()
        self._closing: Callable[[], Goodbye] | None = None

    def __len__(self) -> int:
        """How many are in use."""
        return len(self._uses)

    @contextmanager
    def open(self, lifetime: ConnectionLifetime | None = None) -> Iterator[ConnectionLifetime]:
        """Give a connection its lease for as long as the block runs; its lifetime begins now.

        `lifetime` is one that readers had before the connection was there.
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
    def reading(self, reader: Subscriber, lifetime: ConnectionLifetime | None = None) -> Iterator[None]:
        """Have `reader` on its connection for as long as the block runs; without `lifetime` it has one to itself."""
        used = lifetime or ConnectionLifetime()
        self._take(used)
        timer = self._timer(used) if lifetime is None else None
        used.add(reader)
        try:
            yield
        finally:
            used.remove(reader)
            if timer is not None:
                timer.cancel()
            self._give_back(used)

    async def drain(self, within_seconds: float) -> None:
        """End all leases in batches, spread over at most `within_seconds`; one that comes later ends at once.

        Each farewell has a hint of its own when to come back.
        """
        lifetimes = list(self._uses)
        self._closing = _shutdown(len(lifetimes))
        batches = [lifetimes[start : start + BATCH] for start in range(0, len(lifetimes), BATCH)]
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, batch in enumerate(batches):
            # By the clock and not one pause after the other: who is late anyway does not wait on top of that.
            due = began + number * min(PAUSE_SECONDS, within_seconds / len(batches))
            await asyncio.sleep(due - loop.time())
            for lifetime in batch:
                lifetime.end(self._closing())

    async def vacated(self) -> None:
        """Return when none is in use: all connections are closed, all readers have left."""
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


def _shutdown(readers: int) -> Callable[[], Goodbye]:
    soonest, latest = RECONNECT_MS
    spread = min(max(latest, readers * RECONNECT_MS_EACH), MAX_RECONNECT_MS)
    return lambda: Goodbye(Draining("the server stops"), _between(soonest, spread))


def _between(least: int, most: int) -> int:
    return random.randint(least, most)  # no secret
