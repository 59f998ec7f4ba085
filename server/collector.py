"""Python's cycle collector, set for a process with many open connections.

It looks at every container there is, again and again, while they become more: by default it was half of the CPU time
in which 1,000 sockets were opened, in pauses of tens of milliseconds in which no reader is served.
"""

from __future__ import annotations

import gc

__all__ = ["calm_collector"]

#: New containers after which the youngest are looked at (Python's default is 700). A connection has about 110, so this
#: is some 90 of them; looked at as a whole are as many as 9,000 that have come, or are left behind as cycles.
YOUNGEST = 10_000
#: Looks at the youngest for one at the middle ones, and of those for one at all, as by default.
MIDDLE = OLDEST = 10


def calm_collector() -> None:
    """Leave what is there now, modules and schema, out of all later looks, and look less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, MIDDLE, OLDEST)
