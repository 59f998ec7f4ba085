"""Limits the time of all executions to a few milliseconds in each iteration of the event loop.

graphql-core completes a list of any length in one go, and meanwhile the process does nothing else: it reads no frame,
fans out no event, and notices no deadline. Here, an executor asks between two entries of a list whether the share of
all executors in this turn of the loop is used up. If it is, the executor waits for a later turn.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from weakref import WeakKeyDictionary

from realtime.fanout.turns import Turns

__all__ = ["Meter", "Pacer", "pacer"]

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
    """The turns of the executors in one event loop; it charges the meters of the operations."""

    __slots__ = ("_mark", "_meter", "_turn", "_turns")

    def __init__(self) -> None:
        """Begin without executors."""
        self._turns = Turns()
        #: The meter to charge with the time since `_mark`, if the turn is still `_turn`.
        self._meter: Meter | None = None
        self._mark = 0.0
        self._turn = 0

    def is_used_up(self, meter: Meter) -> bool:
        """Return whether to wait for another turn; charge the time since the last call to `meter`.

        The time is charged only if the last call had the same meter, and was in the same turn.
        """
        now = perf_counter()
        if self._meter is meter and self._turn == self._turns.number:
            meter.charge(now - self._mark)
        self._note(meter, now)
        return self._turns.is_used_up()

    def pause(self) -> None:
        """Charge the time from now on to no meter, because other work follows."""
        self._meter = None

    async def turn(self, meter: Meter) -> None:
        """Return in a later turn that has time, after all executors that wait already."""
        self.pause()
        await self._turns.later()
        self._note(meter, perf_counter())

    def _note(self, meter: Meter, now: float) -> None:
        self._meter, self._mark, self._turn = meter, now, self._turns.number


_pacers: WeakKeyDictionary[asyncio.AbstractEventLoop, Pacer] = WeakKeyDictionary()


def pacer() -> Pacer:
    """Return the pacer of the running loop."""
    loop = asyncio.get_running_loop()
    found = _pacers.get(loop)
    if found is None:
        found = _pacers[loop] = Pacer()
    return found
