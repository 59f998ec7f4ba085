"""Executing goes by turns: a few milliseconds in each pass of the loop, however many operations there are.

graphql-core completes a list of any length in one go, and nothing else of the process happens meanwhile: no frame is
read, no event fanned out, no deadline noticed. Here executors ask between two entries of a list whether the time of
this pass is used up; then they wait for their turn in a later one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter
from weakref import WeakKeyDictionary

__all__ = ["SLICE_SECONDS", "Meter", "Pacer", "pacer"]

#: Time for all executors together in one pass of the loop.
SLICE_SECONDS = 0.004
#: Most of those who wait that have their turn in one pass; each completes one thing, and then looks at the time.
TURNS = 16
#: What a meter lets through for ever: a tenth of the node, and that of a minute at once.
SHARE = 0.1
BURST_SECONDS = 60 * SHARE


class Meter:
    """How much time of the loop an operation takes: a bucket that leaks a tenth of the node."""

    __slots__ = ("_level", "_since", "total")

    def __init__(self) -> None:
        """Begin at zero."""
        self._level = 0.0
        self._since = perf_counter()
        #: Seconds in all.
        self.total = 0.0

    def charge(self, seconds: float) -> None:
        """Count time that was taken."""
        now = perf_counter()
        self._level = max(0.0, self._level - (now - self._since) * SHARE) + seconds
        self._since = now
        self.total += seconds

    @property
    def is_exceeded(self) -> bool:
        """Whether it was more than a tenth of a minute's time."""
        return self._level > BURST_SECONDS


class Pacer:
    """The turns of one loop."""

    __slots__ = ("_ends", "_is_fresh", "_loop", "_mark", "_meter", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with nobody waiting."""
        self._loop = loop
        self._waiting: deque[asyncio.Future[None]] = deque()
        #: When the slice of this pass is used up; 0 = nobody has begun one in this pass.
        self._ends = 0.0
        #: Whether those whose turn it is have not come yet.
        self._is_fresh = False
        self._mark = 0.0
        self._meter: Meter | None = None

    def is_used_up(self, meter: Meter) -> bool:
        """Tell whether to wait for another pass; what passed since the last look at the same meter is charged to it."""
        now = perf_counter()
        if self._meter is meter:
            meter.charge(now - self._mark)
        self._mark, self._meter = now, meter
        if self._ends == 0.0:
            self._begin(now)
            return False
        return now > self._ends

    def pause(self) -> None:
        """Note that what follows is not the work of whoever looked last."""
        self._meter = None

    async def turn(self, meter: Meter) -> None:
        """Return in the next pass in which there is time, after all who wait already."""
        self.pause()
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append(waiter)
        if self._ends == 0.0:
            self._begin(perf_counter())
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake(1)  # the turn was ours, and is somebody else's now
            raise
        self._mark, self._meter = perf_counter(), meter
        if self._is_fresh:
            # The whole slice, however long the loop took to come here.
            self._is_fresh, self._ends = False, self._mark + SLICE_SECONDS

    def _begin(self, now: float) -> None:
        self._ends = now + SLICE_SECONDS
        self._loop.call_soon(self._pass_ends)

    def _pass_ends(self) -> None:
        self._ends = 0.0
        self._meter = None
        if self._waiting:
            self._wake(TURNS)
            # Another pass for those who wait behind these, whether these ask again or not.
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
