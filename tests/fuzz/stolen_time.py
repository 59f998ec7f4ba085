"""Time that other machines on the same host have taken from the cores of this one (`steal` in /proc/stat, proc(5)).

A core that is taken is not idle: on a shared host, up to half of both cores was taken for minutes (measured). A wait in
such a moment says nothing about the server.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

__all__ = ["StolenTime", "stolen_seconds"]

_STAT = Path("/proc/stat")
#: The place of `steal` in the first line, after the word `cpu`.
_STEAL = 8
#: The share of a wait above which it does not count. Cores are counted together, in ticks of 10 ms.
MOST_SHARE = 0.05
#: Readings that are kept: at four in 100 ms, those of the last 25 seconds.
_READINGS = 1_000


def stolen_seconds(stat: Path = _STAT) -> float:
    """Return the seconds that were taken since the machine started, of all cores together; 0.0 where nobody counts."""
    try:
        with stat.open(encoding="ascii") as lines:
            return int(lines.readline().split()[_STEAL]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


class StolenTime:
    """The readings of some time, so that one can ask about any span of it."""

    def __init__(self, stat: Path = _STAT) -> None:
        """Begin with one reading of `stat`, for all earlier moments."""
        self._stat = stat
        self._readings: deque[tuple[float, float]] = deque([(0.0, stolen_seconds(stat))], maxlen=_READINGS)

    def read(self, now: float) -> None:
        """Add a reading at `now`, in seconds of any clock."""
        self._readings.append((now, stolen_seconds(self._stat)))

    def took_part(self, began: float, ended: float) -> bool:
        """Whether other machines took more than a small share of the time between two moments."""
        before = next((stolen for at, stolen in reversed(self._readings) if at <= began), self._readings[0][1])
        return stolen_seconds(self._stat) - before > MOST_SHARE * (ended - began)
