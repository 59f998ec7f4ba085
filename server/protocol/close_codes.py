"""Every error a client can cause or meet, and how each exit says it: one table.

The last column tells clients whether to connect again. WebSocket codes below 4000 are RFC 6455's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from realtime.errors import (
    BoardGone,
    Draining,
    LifetimeReached,
    NotFound,
    StoreUnavailable,
    SubscriberTooSlow,
)

__all__ = [
    "ALREADY_SUBSCRIBED",
    "ENDINGS",
    "FORBIDDEN",
    "HEARTBEAT_TIMEOUT",
    "INIT_TIMEOUT",
    "INVALID_MESSAGE",
    "TERMINATED",
    "TOO_MANY_INITS",
    "UNAUTHORIZED",
    "UNKNOWN_SUBPROTOCOL",
    "Ending",
    "ending_of",
    "has_ending",
]

#: Bytes of the longest reason: a control frame has 125, two of them are the code (RFC 6455, 5.5).
MAX_REASON_BYTES = 123


@dataclass(frozen=True, slots=True)
class Ending:
    """How a stream ends: WebSocket close code and reason, and whether to come back."""

    code: int
    reason: str
    reconnect: bool

    def because(self, reason: str) -> Ending:
        """Return the same with a sentence about this case, cut to what a close frame holds."""
        fitting = reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        return replace(self, reason=fitting)


HEARTBEAT_TIMEOUT = Ending(4000, "Heartbeat timeout", reconnect=True)
#: The client of the older graphql-ws wanted to go.
TERMINATED = Ending(1000, "Terminated", reconnect=False)
# graphql-transport-ws, PROTOCOL.md. "Reconnect" is what npm graphql-ws does after each. The older graphql-ws has no
# codes; there the same reason goes ahead in `connection_error`.
INVALID_MESSAGE = Ending(4400, "Invalid message", reconnect=False)
UNAUTHORIZED = Ending(4401, "Unauthorized", reconnect=False)
FORBIDDEN = Ending(4403, "Forbidden", reconnect=False)
UNKNOWN_SUBPROTOCOL = Ending(4406, "Subprotocol not acceptable", reconnect=False)
INIT_TIMEOUT = Ending(4408, "Connection initialisation timeout", reconnect=True)
ALREADY_SUBSCRIBED = Ending(4409, "Subscriber already exists", reconnect=False)
TOO_MANY_INITS = Ending(4429, "Too many initialisation requests", reconnect=False)
_FAULT = Ending(1011, "Internal error", reconnect=True)

#: What ends a stream → how.
ENDINGS: dict[type[Exception], Ending] = {
    NotFound: Ending(1008, "Board not found", reconnect=False),
    BoardGone: Ending(1008, "Board deleted", reconnect=False),
    SubscriberTooSlow: Ending(4013, "Too slow", reconnect=True),
    Draining: Ending(1012, "Server restarts", reconnect=True),
    # The same code as above, because clients come back after it; the reason is what tells them apart.
    LifetimeReached: Ending(1012, "Connection lifetime reached", reconnect=True),
    StoreUnavailable: Ending(1013, "Store unavailable", reconnect=True),
}


def ending_of(error: BaseException) -> Ending:
    """Return how a stream ends for `error`; what is in no table is our own fault."""
    ending = next((ENDINGS[kind] for kind in type(error).__mro__ if kind in ENDINGS), _FAULT)
    if isinstance(error, SubscriberTooSlow) and error.cursor is not None:
        return ending.because(f"{ending.reason}; come back with after={error.cursor}")
    return ending


def has_ending(error: BaseException) -> bool:
    """Tell whether `error` is one of those that end streams; any other is a fault to be logged."""
    return isinstance(error, tuple(ENDINGS))
