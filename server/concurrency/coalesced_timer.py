"""Coalesced timers: timers that are due at about the same time share one timer of the event loop, to save memory.

A timer of uvloop takes 700 bytes, and an idle connection has one or two. Use coalesced timers for long times that need
not be exact, such as pings and heartbeats.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import lru_cache
from weakref import WeakKeyDictionary

__all__ = ["CoalescedTimer", "CoalescedTimers", "coalesced_timers"]

#: A timer may be late by this part of its time, and by at most so many seconds.
LATE_PART, LATE_SECONDS = 1 / 256, 1 / 8


def _nothing() -> None:
    """Stand in for a call that was made, or will not be made."""


class CoalescedTimer:
    """One call in the future."""

    __slots__ = ("_call", "_tick")

    def __init__(self, tick: _Tick, call: Callable[[], object]) -> None:
        """Call `call` when `tick` is due."""
        self._tick: _Tick | None = tick
        self._call = call
        tick.coalesced_timers[self] = None

    def cancel(self) -> None:
        """Prevent the call. Allowed several times, and after the call."""
        tick, self._tick = self._tick, None
        self._call = _nothing  # the call often refers to the owner of this timer: a cycle
        if tick is not None:
            tick.forget(self)

    def fire(self) -> None:
        """Make the call now; after that `cancel` has no effect."""
        self._tick = None
        call, self._call = self._call, _nothing
        call()


class _Tick:
    """The coalesced timers of one moment, and the timer of the event loop that they share."""

    __slots__ = ("_moment", "_ticks", "_timer", "coalesced_timers")

    def __init__(self, moment: float, ticks: dict[float, _Tick]) -> None:
        self.coalesced_timers: dict[CoalescedTimer, None] = {}
        self._moment = moment
        self._ticks = ticks
        self._timer = asyncio.get_running_loop().call_at(moment, self._fire)

    def forget(self, timer: CoalescedTimer) -> None:
        """Leave out `timer`; the last one cancels the timer of the event loop. Allowed several times."""
        self.coalesced_timers.pop(timer, None)
        if not self.coalesced_timers and self._ticks.get(self._moment) is self:
            del self._ticks[self._moment]
            self._timer.cancel()

    def _fire(self) -> None:
        self._ticks.pop(self._moment, None)
        while self.coalesced_timers:
            timer, _ = self.coalesced_timers.popitem()
            try:
                timer.fire()
            except Exception as fault:  # noqa: BLE001 - it is reported
                # Report it as the event loop does for a failed callback, and go on with the other timers.
                asyncio.get_running_loop().call_exception_handler({"message": "a timer failed", "exception": fault})


class CoalescedTimers:
    """The coalesced timers of an event loop."""

    def __init__(self) -> None:
        """Begin without timers."""
        self._ticks: dict[float, _Tick] = {}

    def __len__(self) -> int:
        """Return the number of timers of the event loop that are in use."""
        return len(self._ticks)

    def set(self, seconds: float, call: Callable[[], object]) -> CoalescedTimer:
        """Call `call` after `seconds`, or a little later."""
        due = asyncio.get_running_loop().time() + seconds
        step = _step_of(seconds)
        moment = math.ceil(due / step) * step if step else due
        tick = self._ticks.get(moment)
        if tick is None:
            tick = self._ticks[moment] = _Tick(moment, self._ticks)
        return CoalescedTimer(tick, call)


@lru_cache(64)  # few times are in use
def _step_of(seconds: float) -> float:
    """Return the seconds to whose multiple a moment is rounded up; 0 = it is not.

    It is a power of two, so that timers with different times can share a moment.
    """
    late = min(seconds * LATE_PART, LATE_SECONDS)
    return 2.0 ** math.floor(math.log2(late)) if late > 0 else 0.0


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, CoalescedTimers] = WeakKeyDictionary()


def coalesced_timers() -> CoalescedTimers:
    """Return the coalesced timers of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _of_loops.get(loop)
    if found is None:
        found = _of_loops[loop] = CoalescedTimers()
    return found
