"""What a reader asks of a stream; each exit reads it off its own request, and the streams know no exit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Delivery", "SlowPolicy", "StreamOptions"]


class Delivery(StrEnum):
    """How a reader is told that its board has changed; all else is told to everybody alike."""

    #: The whole new state.
    STATE = "state"
    #: Each change by itself: `card_moved`, …
    CHANGES = "changes"
    #: One JSON Patch (RFC 6902) on the state as it is on the wire.
    PATCH = "patch"


class SlowPolicy(StrEnum):
    """What becomes of a reader for which more waits than may."""

    #: What waits is dropped; a `gap` says so, and the present follows.
    SNAPSHOT = "snapshot"
    #: Its stream ends, and says where to come back.
    DISCONNECT = "disconnect"


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """The same for all exits; what is left out is as the original server did it."""

    #: The cursor at which the reader stood before; None = it begins with a snapshot.
    after: str | None = None
    #: How changes of the board are told.
    delivery: Delivery = Delivery.STATE
    #: What to do when it is too slow.
    slow: SlowPolicy = SlowPolicy.SNAPSHOT
