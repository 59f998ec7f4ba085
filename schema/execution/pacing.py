"""Limits the time of all executions to a few milliseconds in each iteration of the event loop.

graphql-core completes a list of any length in one go, and meanwhile the process does nothing else: it reads no frame,
fans out no event, and notices no deadline. Here, an executor asks between two entries of a list whether the slice of
this iteration is used up. If it is, the executor waits for its turn in a later iteration.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from weakref import WeakKeyDictionary

__all__ = ["SLICE_SECONDS", "Meter", "Pacer", "pacer"]

#: Time for all executors together in one loop iteration.
SLICE_SECONDS = 0.004
#: Most waiting executors that get their turn in one iteration; each completes one entry and then checks the time.
TURNS = 16
#: An operation may use a tenth of the node's time for ever, and that of a minute at once.
SHARE = 0.1
BURST_SECONDS = 60 * SHARE


class Meter:
    """Measures the loop time of an operation: a leaky bucket that leaks a tenth of the node's time."""

    __slots__ = ("_level", "_since", "total")

    def __init__(self) -> None:
        """Begin at zero."""
        self._level = 0.0
        self._since = perf_counter()
        #: Seconds in total.
        self.total = 0.0

    def charge(self, seconds: float) -> None:
        """Add the time that the operation has used."""
        now = perf_counter()
        self._level = max(0.0, self._level - (now - self._since) * SHARE) + seconds
        self._since = now
        self.total += seconds

    @property
    def is_exceeded(self) -> bool:
        """Whether the bucket holds more than a tenth of a minute."""
        return self._level > BURST_SECONDS


class Pacer:
    """The turns of the executors in one event loop."""

    __slots__ = ("_ends", "_is_fresh", "_loop", "_mark", "_meter", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin without waiting executors."""
        self._loop = loop
        self._waiting: deque[asyncio.Future[None]] = deque()
        #: Time at which the slice of this iteration is used up; 0 = no executor has begun one in this iteration.
        self._ends = 0.0
        #: Whether none of the executors with a turn in this iteration has run yet.
        self._is_fresh = False
        self._mark = 0.0
        self._meter: Meter | None = None

    def is_used_up(self, meter: Meter) -> bool:
        """Return whether to wait for another iteration; charge the time since the last call to `meter`.

        The time is charged only if the last call had the same meter.
        """
        now = perf_counter()
        if self._meter is meter:
            meter.charge(now - self._mark)
        self._mark, self._meter = now, meter
        if self._ends == 0.0:
            self._begin(now)
            return False
        return now > self._ends

    def pause(self) -> None:
        """Charge the time from now on to no meter, because other work follows."""
        self._meter = None

    async def turn(self, meter: Meter) -> None:
        """Return in the next iteration that has time, after all executors that wait already."""
        self.pause()
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(waiter)
        if self._ends == 0.0:
            self._begin(perf_counter())
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake(1)  # pass the turn to another executor
            raise
        self._mark, self._meter = perf_counter(), meter
        if self._is_fresh:
            # A whole slice from now on: the time until the loop reached this executor does not count.
            self._is_fresh, self._ends = False, self._mark + SLICE_SECONDS

    def _begin(self, now: float) -> None:
        self._ends = now + SLICE_SECONDS
        self._loop.call_soon(self._pass_ends)

    def _pass_ends(self) -> None:
        self._ends = 0.0
        self._meter = None
        if self._waiting:
            self._wake(TURNS)
            # The executors that still wait get another iteration, even if those with a turn do not ask again.
            self._is_fresh = True
            self._begin(perf_counter())

    def _wake(self, turns: int) -> None:
        while self._waiting and turns:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                turns -= 1


_pacers: WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer] = WeakKeyDictionary()


def pacer() -> Pacer:
    """Return the pacer of the running loop."""
    loop = asyncio.get_running_loop()
    found = _pacers.get(loop)
    if found is None:
        found = _pacers[loop] = Pacer(loop)
    return found
