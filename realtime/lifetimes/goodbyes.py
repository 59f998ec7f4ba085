"""Goodbyes: why a connection ends, and when its client should reconnect."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from realtime.errors import Draining, GrantsReduced, LifetimeReached, StreamEnded, TokenExpired, TokenRevoked
from realtime.fanout.subscriber import Subscriber
from realtime.messages.envelopes import goodbye

__all__ = ["Goodbye", "grants_reduced", "lifetime_reached", "server_stops", "token_ended"]

#: A stopping server spreads the reconnections of its clients over these milliseconds: at least, and at most.
RECONNECT_MS, MAX_RECONNECT_MS = (500, 5000), 60_000
#: Milliseconds by which each client widens that spread: the next server has so long for each of them.
RECONNECT_MS_EACH = 5
#: Milliseconds after which a client reconnects when its connection has reached its lifetime; jitter spreads those ends.
LIFETIME_RECONNECT_MS = (100, 1000)
#: Seconds for which operations of a GraphQL connection may go on after its token has ended.
TOKEN_OPERATION_SECONDS = 0.3
#: Seconds after which a connection whose token has ended is cut if its client has not taken what waits for it. With
#: `pacing.SPREAD_SECONDS` this is less than the second that clients are promised.
TOKEN_CUT_SECONDS = 0.45


@dataclass(frozen=True, slots=True)
class Goodbye:
    """Why a connection ends, and when its client should reconnect."""

    reason: StreamEnded
    reconnect_after_ms: int

    @property
    def operation_seconds(self) -> float | None:
        """The time for which running operations may go on; None = until they end by themselves."""
        return TOKEN_OPERATION_SECONDS if self._is_of_token else None

    @property
    def cut_seconds(self) -> float | None:
        """The time in which the connection must end, also when its client takes nothing; None = without limit."""
        return TOKEN_CUT_SECONDS if self._is_of_token else None

    @property
    def _is_of_token(self) -> bool:
        return isinstance(self.reason, TokenExpired | TokenRevoked)

    def send(self, subscriber: Subscriber) -> None:
        """Queue a `goodbye` behind what waits for `subscriber`, and end it with the reason."""
        subscriber.put_nowait((goodbye(self.reason.code, self.reconnect_after_ms),))
        subscriber.end(self.reason)


def grants_reduced() -> Goodbye:
    """Return the goodbye of a subscriber that lacks a grant: no time to reconnect, the client would be refused."""
    return Goodbye(GrantsReduced("the grants of the new token do not allow it"), 0)


def lifetime_reached() -> Goodbye:
    """Return the goodbye of a connection that has reached its longest lifetime."""
    return Goodbye(LifetimeReached("the connection has lasted long enough"), _between(*LIFETIME_RECONNECT_MS))


def token_ended(reason: type[StreamEnded], clients: int = 1) -> Callable[[], Goodbye]:
    """Return a function that makes the goodbye of each of so many connections whose token has ended."""
    return _spread(lambda: reason("the token has expired or was revoked"), LIFETIME_RECONNECT_MS, clients)


def server_stops(clients: int) -> Callable[[], Goodbye]:
    """Return a function that makes the goodbye of each of so many connections of a server that stops."""
    return _spread(lambda: Draining("the server stops"), RECONNECT_MS, clients)


def _spread(reason: Callable[[], StreamEnded], between: tuple[int, int], clients: int) -> Callable[[], Goodbye]:
    soonest, latest = between
    most = min(max(latest, clients * RECONNECT_MS_EACH), MAX_RECONNECT_MS)
    return lambda: Goodbye(reason(), _between(soonest, most))


def _between(least: int, most: int) -> int:
    return random.randint(least, most)  # no secret
