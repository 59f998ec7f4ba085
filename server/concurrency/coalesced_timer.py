"""Timers of many connections in the memory of few: those that are due at about the same time share one of the loop's.

A timer of uvloop takes 700 bytes, and an idle connection has one or two. They are for long times that need not be
exact: pings, signs of life.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from weakref import WeakKeyDictionary

__all__ = ["CoalescedTimer", "CoalescedTimers", "coalesced_timers"]

#: Part of its time by which an alarm may be late, and most seconds of that.
LATE_PART, LATE_SECONDS = 1 / 256, 1 / 8


class CoalescedTimer:
    """One call to come."""

    __slots__ = ("_bell", "_call")

    def __init__(self, bell: _Bell, call: Callable[[], object]) -> None:
        """Have `call` called with `bell`."""
        self._bell: _Bell | None = bell
        self._call = call
        bell.coalesced_timers[self] = None

    def cancel(self) -> None:
        """Call nothing; any number of times, and afterwards too."""
        bell, self._bell = self._bell, None
        if bell is not None:
            bell.forget(self)

    def ring(self) -> None:
        """Call."""
        self._bell = None
        self._call()


class _Bell:
    """The alarms of one moment."""

    __slots__ = ("_bells", "_moment", "_timer", "coalesced_timers")

    def __init__(self, moment: float, bells: dict[float, _Bell]) -> None:
        self.coalesced_timers: dict[CoalescedTimer, None] = {}
        self._moment = moment
        self._bells = bells
        self._timer = asyncio.get_running_loop().call_at(moment, self._ring)

    def forget(self, timer: CoalescedTimer) -> None:
        self.coalesced_timers.pop(timer, None)
        if not self.coalesced_timers and self._bells.get(self._moment) is self:
            del self._bells[self._moment]
            self._timer.cancel()

    def _ring(self) -> None:
        self._bells.pop(self._moment, None)
        while self.coalesced_timers:
            timer, _ = self.coalesced_timers.popitem()
            try:
                timer.ring()
            except Exception as fault:  # noqa: BLE001 - it is reported
                # As the loop does with a callback that fails: the others have their call.
                asyncio.get_running_loop().call_exception_handler({"message": "an alarm failed", "exception": fault})


class CoalescedTimers:
    """The alarms of an event loop."""

    def __init__(self) -> None:
        """Begin without any."""
        self._bells: dict[float, _Bell] = {}

    def __len__(self) -> int:
        """How many timers of the loop there are."""
        return len(self._bells)

    def set(self, seconds: float, call: Callable[[], object]) -> CoalescedTimer:
        """Call `call` in so many seconds, or a little later."""
        late = min(seconds * LATE_PART, LATE_SECONDS)
        due = asyncio.get_running_loop().time() + seconds
        # Moments of a power of two, so that alarms that are set for other times may meet at them.
        step = 2.0 ** math.floor(math.log2(late)) if late > 0 else 0.0
        moment = math.ceil(due / step) * step if step else due
        bell = self._bells.get(moment)
        if bell is None:
            bell = self._bells[moment] = _Bell(moment, self._bells)
        return CoalescedTimer(bell, call)


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, CoalescedTimers] = WeakKeyDictionary()


def coalesced_timers() -> CoalescedTimers:
    """Return the alarms of the running loop."""
    loop = asyncio.get_running_loop()
    found = _of_loops.get(loop)
    if found is None:
        found = _of_loops[loop] = CoalescedTimers()
    return found
