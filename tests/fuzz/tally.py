"""The counts of a run, and the verdict on its memory."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import dataclass, field

from tests.fuzz.judge import Fault, Kind
from tests.fuzz.witness import Seen, Sight

__all__ = [
    "MAX_GROWTH_BYTES",
    "MAX_WAIT_SECONDS",
    "Tally",
    "growth_of",
    "memory_faults",
    "proven_growth_of",
    "wait_faults",
]

_MIB = 1024 * 1024
#: The longest permitted wait of another client, on two idle cores (docs/guarantees.md, "9. No client harms another").
MAX_WAIT_SECONDS = 0.25
#: The permitted growth per hour of fuzzing: some pages that the allocator cannot release.
MAX_GROWTH_BYTES = 32 * _MIB
#: The permitted peak above the memory at the beginning.
MAX_PEAK_BYTES = 512 * _MIB
#: Seconds at the beginning in which caches fill. In a run of 900 s, memory was 106 MiB at first, 127 MiB after 200 s,
#: and 131 MiB after 850 s.
_WARM_SECONDS = 200.0
_FEWEST = 6
#: The standard deviations above which growth is more than chance: 95 % on one side.
_CONFIDENCE = 1.645


@dataclass
class Tally:
    """The counts of one server."""

    name: str
    inputs: Counter[str] = field(default_factory=Counter)
    sent_bytes: int = 0
    turned_away: int = 0
    seconds: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    seen: Seen = field(default_factory=dict)
    #: Seconds since the beginning, and the private memory in bytes when all connections are closed.
    memory: list[tuple[float, int]] = field(default_factory=list)
    peak: int = 0
    #: Each input's start and end, in seconds since the epoch, and its number.
    spans: list[tuple[float, float, int]] = field(default_factory=list)


def growth_of(memory: list[tuple[float, int]]) -> float | None:
    """Return the growth of memory in bytes per hour after the caches are full; None if there are too few measurements.

    It is the median of the slopes between all pairs of measurements (Theil and Sen), on which an outlier has little
    effect.
    """
    slopes = _slopes(memory)
    return statistics.median(slopes) * 3_600 if slopes else None


def proven_growth_of(memory: list[tuple[float, int]]) -> float | None:
    """Return the least growth that is proven: the lower end of the one-sided interval of the slope (Sen 1968).

    Free memory that is not yet returned changes by tens of MiB between two measurements. Over some minutes that is a
    slope of hundreds of MiB per hour in either direction, which proves nothing. Lost memory shows in spite of it.
    """
    slopes = _slopes(memory)
    if not slopes:
        return None
    count = len(_warm(memory))
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return slopes[max(0, int((len(slopes) - _CONFIDENCE * deviation) / 2))] * 3_600


def _warm(memory: list[tuple[float, int]]) -> list[tuple[float, int]]:
    return [(at, used) for at, used in memory if at >= _WARM_SECONDS]


def _slopes(memory: list[tuple[float, int]]) -> list[float]:
    """Return the slopes between all pairs of warm measurements, the least first; an empty list if there are too few."""
    warm = _warm(memory)
    if len(warm) < _FEWEST:
        return []
    pairs = ((a, b) for place, a in enumerate(warm) for b in warm[place + 1 :] if b[0] > a[0])
    return sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs)


def memory_faults(tally: Tally) -> list[Fault]:
    """Return the memory faults of a run that was long enough."""
    found = []
    growth = proven_growth_of(tally.memory)
    if growth is not None and growth > MAX_GROWTH_BYTES:
        found.append(
            Fault(
                Kind.MEMORY, f"an hour would leave at least {growth / _MIB:.0f} MiB; at most {MAX_GROWTH_BYTES // _MIB}"
            )
        )
    if tally.memory and tally.peak - tally.memory[0][1] > MAX_PEAK_BYTES:
        found.append(Fault(Kind.MEMORY, f"{tally.peak / _MIB:.0f} MiB in use at one time"))
    return found


def wait_faults(tally: Tally) -> list[Fault]:
    """Return a fault for each kind of question with a wait that was too long."""
    return [
        Fault(
            Kind.WAIT,
            f"{name}: {sight.longest * 1_000:.0f} ms; at most {MAX_WAIT_SECONDS * 1_000:.0f}",
            _meanwhile(tally, sight),
        )
        for name, sight in tally.seen.items()
        if sight.longest > MAX_WAIT_SECONDS
    ]


def _meanwhile(tally: Tally, sight: Sight) -> tuple[int, ...]:
    """Return the numbers of the inputs that ran during the longest wait."""
    began, ended = sight.at - sight.longest, sight.at
    return tuple(number for start, end, number in tally.spans if start <= ended and end >= began)
