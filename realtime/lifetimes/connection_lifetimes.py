"""Connection lifetimes: how the server ends the connections of this process.

The server ends a connection because it stops, because the connection has reached its longest lifetime, or because the
token behind it expires or is revoked. A new token may take the place of that one. The exits know what a connection is,
and how their protocol announces its end.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from realtime.clock import Clock, system_clock
from realtime.errors import TokenRevoked
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.grants import Grants
from realtime.lifetimes.connection_lifetime import ConnectionLifetime, Need
from realtime.lifetimes.credentials import Credential, CredentialHold
from realtime.lifetimes.goodbyes import Goodbye, lifetime_reached, server_stops, token_ended
from realtime.lifetimes.pacing import SPREAD_SECONDS, PacedCalls, call_in_batches

__all__ = ["ConnectionLifetimes"]

#: Fraction of the lifetime by which a connection may end earlier, so that connections of one moment end apart.
LIFETIME_JITTER = 0.1
#: No timer waits longer than this many seconds, about three years; no connection lasts so long.
FAR_SECONDS = 1e8


class ConnectionLifetimes:
    """The lifetimes in use: by a connection, by subscribers, or by both."""

    def __init__(self, max_seconds: float = 0.0, clock: Clock = system_clock) -> None:
        """Start without any; each connection lasts at most `max_seconds`, 0 = without limit.

        By `clock`, tokens expire.
        """
        self._max_seconds = max_seconds
        self._clock = clock
        self._uses: Counter[ConnectionLifetime] = Counter()
        self._vacant = asyncio.Event()
        self._vacant.set()
        self._closing: Callable[[], Goodbye] | None = None
        self._paced = PacedCalls()

    def __len__(self) -> int:
        """Return the number in use."""
        return len(self._uses)

    @contextmanager
    def open(
        self, lifetime: ConnectionLifetime | None = None, credential: Credential | None = None
    ) -> Iterator[ConnectionLifetime]:
        """Begin the lifetime of a connection, for the length of the block.

        `lifetime` is given if subscribers used it before the connection was there. The connection ends with
        `credential`.
        """
        used = lifetime or ConnectionLifetime()
        self._take(used)
        timer = self._timer(used)
        try:
            with self._held_by(used, credential):
                yield used
        finally:
            if timer is not None:
                timer.cancel()
            self._give_back(used)

    @contextmanager
    def reading(
        self,
        subscriber: Subscriber,
        lifetime: ConnectionLifetime | None = None,
        credential: Credential | None = None,
        need: Need | None = None,
    ) -> Iterator[None]:
        """Have a subscriber on its connection for the length of the block; without `lifetime` it has one of its own.

        The connection ends with `credential`. The subscriber ends when a later token of the connection lacks `need`.
        """
        used = lifetime or ConnectionLifetime()
        self._take(used)
        timer = self._timer(used) if lifetime is None else None
        used.add(subscriber, need)
        try:
            with self._held_by(used, credential):
                yield
        finally:
            used.remove(subscriber)
            if timer is not None:
                timer.cancel()
            self._give_back(used)

    @contextmanager
    def hold(self, lifetime: ConnectionLifetime, credential: Credential) -> Iterator[None]:
        """End the connection with `credential`, if that expires or is revoked within the block, or was before.

        A token that `refresh` has put in place of it counts instead.
        """
        if lifetime.is_refreshed:
            yield
            return
        held = self._hold(lifetime, credential)
        try:
            yield
        finally:
            held.release()

    def refresh(self, lifetime: ConnectionLifetime, credential: Credential | None, grants: Grants) -> int:
        """End a connection that is in use with `credential`, in place of all the tokens that ended it before.

        Subscribers whose need `grants` do not cover end at once, with the reason `forbidden`; return their number. The
        others get no warning if the credential expires within `WARNING_SECONDS`. The answer to the client has its end,
        and a client that sends a new token after each warning would go round in circles.
        """
        ended = lifetime.refresh(grants)
        if credential is not None:
            self._hold(lifetime, credential, is_announced=True)
        return ended

    async def revoke(self, credential: Credential, within_seconds: float = SPREAD_SECONDS) -> None:
        """End all connections that `credential` holds in batches, spread over at most `within_seconds`.

        One that begins later ends at once.
        """
        credential.ended_by = TokenRevoked
        lifetimes = list(credential.holds or ())
        await _end_all(lifetimes, token_ended(TokenRevoked, len(lifetimes)), within_seconds)

    async def drain(self, within_seconds: float) -> None:
        """End all connections in batches, spread over at most `within_seconds`; one that begins later ends at once.

        Each goodbye has its own hint when to reconnect.
        """
        lifetimes = list(self._uses)
        self._closing = server_stops(len(lifetimes))
        await _end_all(lifetimes, self._closing, within_seconds)

    async def vacated(self) -> None:
        """Wait until none is in use: all connections are closed, and all subscribers have left."""
        await self._vacant.wait()

    def _take(self, lifetime: ConnectionLifetime) -> None:
        self._uses[lifetime] += 1
        self._vacant.clear()
        if self._closing is not None:
            lifetime.end(self._closing())

    def _give_back(self, lifetime: ConnectionLifetime) -> None:
        self._uses[lifetime] -= 1
        if not self._uses[lifetime]:
            del self._uses[lifetime]
            lifetime.release()
        if not self._uses:
            self._vacant.set()

    def _held_by(self, lifetime: ConnectionLifetime, credential: Credential | None) -> AbstractContextManager[None]:
        return nullcontext() if credential is None else self.hold(lifetime, credential)

    def _hold(
        self, lifetime: ConnectionLifetime, credential: Credential, *, is_announced: bool = False
    ) -> CredentialHold:
        held = CredentialHold(lifetime, credential, self._paced)
        seconds = self._seconds_left(credential)
        if seconds is not None:
            held.expire_in(seconds, is_announced=is_announced)
        return held

    def _seconds_left(self, credential: Credential) -> float | None:
        if credential.expires_at is None:
            return None
        seconds = (credential.expires_at - self._clock()).total_seconds()
        return None if seconds > FAR_SECONDS else seconds

    def _timer(self, lifetime: ConnectionLifetime) -> asyncio.TimerHandle | None:
        if not self._max_seconds:
            return None
        seconds = self._max_seconds * (1 - random.uniform(0, LIFETIME_JITTER))  # no secret
        return asyncio.get_running_loop().call_later(seconds, lifetime.end, lifetime_reached())


async def _end_all(
    lifetimes: Sequence[ConnectionLifetime], goodbye: Callable[[], Goodbye], within_seconds: float
) -> None:
    """End connections in batches, each connection with a goodbye of its own, over at most `within_seconds`."""
    await call_in_batches([partial(_end, lifetime, goodbye) for lifetime in lifetimes], within_seconds)


def _end(lifetime: ConnectionLifetime, goodbye: Callable[[], Goodbye]) -> None:
    lifetime.end(goodbye())
