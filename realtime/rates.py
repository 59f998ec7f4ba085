"""Rates: the requests of each client in a period, limited by token buckets of a bounded number of clients."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple, Protocol

from realtime.limits import Capacity, LimitReached

__all__ = ["CLIENT", "MINUTE", "SECOND", "Period", "Rate", "RateLimit", "Rates", "WriteLimits"]

#: The client for which this task works: the name of a token, else an address. None is the server itself, which has no
#: limit. A connection sets it at its handshake, and the tasks that it starts inherit it.
CLIENT: ContextVar[str | None] = ContextVar("client", default=None)
#: Most clients with a bucket. The client with the oldest request is dropped, which fills its bucket.
MAX_CLIENTS = 10_000
#: Most that sums of binary fractions may lack of a whole token.
ROUNDING = 1e-6


class Period(NamedTuple):
    """The time for which a rate is given."""

    name: str
    seconds: float
    #: Capacity of a bucket, in seconds of the rate.
    burst_seconds: float


SECOND, MINUTE = Period("second", 1.0, 2.0), Period("minute", 60.0, 60.0)


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class RateLimit(Protocol):
    """A rate, separate for each client: the only thing that other modules know of a rate.

    1. `spend` decides at once and waits for nothing, so no other request comes between its check and its change.
    2. It never fails: a rate that several processes share counts here, and exchanges the counts in the background.
    3. It holds a bounded number of clients.
    """

    def spend(self, count: int, client: str | None = None) -> None:
        """Take `count` tokens from `client`, or else from the client of this task; from the server itself none.

        Raises:
            LimitReached: the client has no whole token; nothing was taken.
        """


class Rate:
    """A `RateLimit` in memory. A request may cost more than the bucket has left; then the next ones wait."""

    def __init__(
        self,
        count: float,
        what: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        period: Period = SECOND,
        sender: str = "a client",
    ) -> None:
        """Allow `count` in each `period` (0 = without limit), and at once as much as a bucket of the period holds.

        `what` names the requests and `sender` the clients in the refusal; `clock` returns seconds.
        """
        self._per_second = count / period.seconds
        # A slow rate saves up one token at least, or there would never be a whole one.
        self._most = max(1.0, self._per_second * period.burst_seconds)
        self._sentence = f"expected at most {count:g} {what} a {period.name} from {sender}, got more"
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        #: Client → the tokens that it took since `take_spent`; None = nobody asks for them.
        self._spent: dict[str, int] | None = None

    @property
    def per_second(self) -> float:
        """Tokens that come back in a second; 0 = without limit."""
        return self._per_second

    @property
    def most(self) -> float:
        """Most tokens in a bucket."""
        return self._most

    def __len__(self) -> int:
        """Return the number of clients with a bucket."""
        return len(self._buckets)

    def spend(self, count: int, client: str | None = None) -> None:
        """Take `count` tokens, as `RateLimit` says."""
        client = client or CLIENT.get()
        if client is None or not self._per_second:
            return
        now, most = self._clock(), self._most
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
            raise LimitReached(self._sentence, max(1, ceil(missing / self._per_second)))
        bucket.level -= count
        if self._spent is not None:
            self._note_spent(self._spent, client, count)

    def take_spent(self) -> dict[str, int]:
        """Return what each client took since the last call, and note it from now on; the first call returns nothing."""
        spent, self._spent = self._spent or {}, {}
        return spent

    def settle(self, client: str, level: float) -> None:
        """Set the bucket of `client` to the level that all processes share; it may be below zero.

        What the client took since `take_spent` is not in that level yet.
        """
        bucket = self._buckets.get(client)
        if bucket is not None:
            bucket.level, bucket.at = level - (self._spent or {}).get(client, 0), self._clock()

    @staticmethod
    def _note_spent(spent: dict[str, int], client: str, count: int) -> None:
        spent[client] = spent.get(client, 0) + count
        if len(spent) > MAX_CLIENTS:
            del spent[next(iter(spent))]


class Rates:
    """The rates of one process by name, for other processes that count the same requests."""

    def __init__(self) -> None:
        """Know no rate yet."""
        self._named: list[tuple[str, Rate]] = []

    def __iter__(self) -> Iterator[tuple[str, Rate]]:
        """Iterate over the names and rates that have a limit."""
        return iter([(name, rate) for name, rate in self._named if rate.per_second])

    def add(self, name: str, rate: Rate) -> Rate:
        """Add and return `rate`. Rates of one name count the same requests."""
        self._named.append((name, rate))
        return rate


@dataclass(frozen=True, slots=True)
class WriteLimits:
    """The limits of the writes on a node."""

    #: The most that is stored.
    capacity: Capacity = field(default_factory=Capacity)
    commands: RateLimit = field(default_factory=lambda: Rate(0, "commands"))
    events: RateLimit = field(default_factory=lambda: Rate(0, "events"))
