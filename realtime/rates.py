"""How much each client may ask for in a second: a bucket of tokens for each, and no more buckets than can be kept."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import ceil

from realtime.limits import Capacity, LimitReached

__all__ = ["CLIENT", "Rate", "WriteLimits"]

#: For whom this task works: a word for a token, else an address; None: for the server itself, which has no limit. What
#: a connection is served by has it from its handshake, and so has every task that it begins.
CLIENT: ContextVar[str | None] = ContextVar("client", default=None)
#: Most clients whose buckets are kept. The one that asked longest ago is forgotten, which fills its bucket.
MAX_CLIENTS = 10_000
#: What a client may have saved up, in seconds of its rate.
BURST_SECONDS = 2.0


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Rate:
    """One rate, for each client by itself. A request may be larger than what is left; the next ones wait."""

    def __init__(
        self,
        per_second: float,
        what: str,
        clock: Callable[[], float] = time.monotonic,
        burst_seconds: float = BURST_SECONDS,
    ) -> None:
        """Let `per_second` through, 0 = all, and at once what is saved up in `burst_seconds`.

        `what` names them in the refusal; `clock` is in seconds.
        """
        self._per_second = per_second
        self._burst_seconds = burst_seconds
        self._what = what
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """How many clients are known."""
        return len(self._buckets)

    def spend(self, count: int) -> None:
        """Count `count` against the client of this task.

        Raises:
            LimitReached: it has asked for too much; nothing was counted.
        """
        client = CLIENT.get()
        if client is None or not self._per_second:
            return
        now, most = self._clock(), self._per_second * self._burst_seconds
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = _Bucket(most, now)
            if len(self._buckets) > MAX_CLIENTS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(client)
        bucket.level = min(most, bucket.level + (now - bucket.at) * self._per_second)
        bucket.at = now
        if bucket.level <= 0:
            seconds = max(1, ceil(-bucket.level / self._per_second))
            raise LimitReached(f"expected at most {self._per_second:g} {self._what} a second from a client", seconds)
        bucket.level -= count


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """What bounds the writing of a node."""

    #: The most that is kept.
    capacity: Capacity = field(default_factory=Capacity)
    commands: Rate = field(default_factory=lambda: Rate(0, "commands"))
    events: Rate = field(default_factory=lambda: Rate(0, "events"))
