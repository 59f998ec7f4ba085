"""The interval after which a thread that waits for the interpreter lock asks for it, while a heavy unit is written.

A unit of 1,000 events may run 1,000 statements. Each gives the lock away, and waits for a busy event loop to get it
back. With the usual interval of 0.5 ms such a unit took 250 ms, and a small unit behind it waited as long (measured).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["LockInterval", "lock_interval"]

#: Seconds while a heavy unit is written. Always, it would cost small units a fifth of their CPU time (measured).
HURRIED_SECONDS = 0.0001
#: Python keeps whole microseconds, and cuts off the rest. So an interval that is read and set again may become shorter.
_HALF_MICROSECOND = 5e-7


class LockInterval:
    """The interval of this process. It is shared by all nodes in it, and belongs to the event loop."""

    def __init__(self) -> None:
        """Begin without heavy units."""
        self._heavy = 0
        self._usual = 0.0

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Shorten the interval for the length of the block."""
        if not self._heavy:
            self._usual = sys.getswitchinterval() + _HALF_MICROSECOND
            sys.setswitchinterval(min(self._usual, HURRIED_SECONDS))
        self._heavy += 1
        try:
            yield
        finally:
            self._heavy -= 1
            if not self._heavy:
                sys.setswitchinterval(self._usual)


#: The interpreter has one interval, so there is one of these.
lock_interval = LockInterval()
