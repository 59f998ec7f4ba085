"""Rates: the requests of each client per second, limited by a token bucket for each of a bounded number of clients."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import ceil

from realtime.limits import Capacity, LimitReached

__all__ = ["CLIENT", "Rate", "WriteLimits"]

#: The client for which this task works: the name of a token, else an address. None is the server itself, which has no
#: limit. A connection sets it at its handshake, and the tasks that it starts inherit it.
CLIENT: ContextVar[str | None] = ContextVar("client", default=None)
#: Most clients with a bucket. The client with the oldest request is dropped, which fills its bucket.
MAX_CLIENTS = 10_000
#: Capacity of a bucket, in seconds of the rate.
BURST_SECONDS = 2.0
#: Most that sums of binary fractions may lack of a whole token.
ROUNDING = 1e-6


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class Rate:
    """One rate, separate for each client. A request may cost more than the bucket has left; then the next ones wait."""

    def __init__(
        self,
        per_second: float,
        what: str,
        clock: Callable[[], float] = time.monotonic,
        burst_seconds: float = BURST_SECONDS,
    ) -> None:
        """Allow `per_second` (0 = without limit), and at once as much as `burst_seconds` of that.

        `what` names the requests in the refusal; `clock` returns seconds.
        """
        self._per_second = per_second
        self._burst_seconds = burst_seconds
        self._what = what
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of clients with a bucket."""
        return len(self._buckets)

    def spend(self, count: int, client: str | None = None) -> None:
        """Take `count` tokens from `client`, or else from the client of this task.

        Raises:
            LimitReached: the bucket has no whole token; nothing was taken.
        """
        client = client or CLIENT.get()
        if client is None or not self._per_second:
            return
        # A slow rate saves up one token at least, or there would never be a whole one.
        now, most = self._clock(), max(1.0, self._per_second * self._burst_seconds)
        bucket = self._buckets.get(client)
        if bucket is None:
            bucket = self._buckets[client] = _Bucket(most, now)
            if len(self._buckets) > MAX_CLIENTS:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(client)
        bucket.level = min(most, bucket.level + (now - bucket.at) * self._per_second)
        bucket.at = now
        missing = 1.0 - bucket.level
        # A part of a token that came back meanwhile is not enough: else each burst would have one request more.
        if missing > ROUNDING:
            seconds = max(1, ceil(missing / self._per_second))
            raise LimitReached(f"expected at most {self._per_second:g} {self._what} a second from a client", seconds)
        bucket.level -= count


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """The limits of the writes on a node."""

    #: The most that is stored.
    capacity: Capacity = field(default_factory=Capacity)
    commands: Rate = field(default_factory=lambda: Rate(0, "commands"))
    events: Rate = field(default_factory=lambda: Rate(0, "events"))
