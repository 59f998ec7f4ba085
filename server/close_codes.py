"""Every error a client can cause or meet, and how each exit says it: one table.

The last column tells clients whether to connect again. WebSocket codes below 4000 are RFC 6455's.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.errors import (
    BoardGone,
    Draining,
    NotFound,
    StoreUnavailable,
    SubscriberTooSlow,
)

__all__ = ["ENDINGS", "HEARTBEAT_TIMEOUT", "Ending", "ending_of", "has_ending"]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a stream ends: WebSocket close code and reason, and whether to come back."""

    code: int
    reason: str
    reconnect: bool


HEARTBEAT_TIMEOUT = Ending(4000, "Heartbeat timeout", reconnect=True)
_FAULT = Ending(1011, "Internal error", reconnect=True)

#: What ends a stream → how.
ENDINGS: dict[type[Exception], Ending] = {
    NotFound: Ending(1008, "Board not found", reconnect=False),
    BoardGone: Ending(1008, "Board deleted", reconnect=False),
    SubscriberTooSlow: Ending(1013, "Too slow", reconnect=True),
    Draining: Ending(1012, "Server restarts", reconnect=True),
    StoreUnavailable: Ending(1013, "Store unavailable", reconnect=True),
}


def ending_of(error: BaseException) -> Ending:
    """Return how a stream ends for `error`; what is in no table is our own fault."""
    return next((ENDINGS[kind] for kind in type(error).__mro__ if kind in ENDINGS), _FAULT)


def has_ending(error: BaseException) -> bool:
    """Tell whether `error` is one of those that end streams; any other is a fault to be logged."""
    return isinstance(error, tuple(ENDINGS))
