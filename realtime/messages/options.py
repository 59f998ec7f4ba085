"""Options of a stream. Each exit reads them from its own request; the streams do not depend on any exit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Delivery", "SlowPolicy", "StreamOptions"]


class Delivery(StrEnum):
    """The form in which a client gets changes of its board; all other envelopes are the same for every delivery."""

    #: The whole new state.
    STATE = "state"
    #: Each single change, such as `card_moved`.
    CHANGES = "changes"
    #: One JSON Patch (RFC 6902) for the JSON of the state.
    PATCH = "patch"


class SlowPolicy(StrEnum):
    """The treatment of a subscriber whose queue is full."""

    #: Drop the waiting envelopes, then resync: a `gap`, and the current state.
    SNAPSHOT = "snapshot"
    #: End the stream; the `goodbye` has the cursor with which to resume.
    DISCONNECT = "disconnect"


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """The same options for all exits; the defaults are the behaviour of the original server."""

    #: The last cursor that the client has; None = begin with a snapshot.
    after: str | None = None
    #: Form of the changes of the board.
    delivery: Delivery = Delivery.STATE
    #: Treatment of a slow subscriber.
    slow: SlowPolicy = SlowPolicy.SNAPSHOT
