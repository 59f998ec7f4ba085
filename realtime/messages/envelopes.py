"""Envelopes: the messages of all exits. An exit encodes an envelope once, not for each subscriber."""

from __future__ import annotations

from datetime import datetime

from realtime.caches import Cached
from realtime.clock import iso
from realtime.dashboard.overview import DashboardOverview
from realtime.kanban.ids import AttemptId, CardId
from realtime.kanban.models import AttemptStatus, BoardState
from realtime.messages.payloads import (
    Access,
    AttemptStatusChanged,
    Gap,
    Goodbye,
    Heartbeat,
    Hello,
    Overview,
    Payload,
    State,
)
from realtime.messages.position import Position

__all__ = [
    "Envelope",
    "access",
    "attempt_status",
    "checked_heartbeat",
    "gap",
    "goodbye",
    "heartbeat",
    "hello",
    "overview",
    "state",
]


class Envelope(Cached):
    """One message: `type`, `payload`, and the `cursor` of a client that has received it.

    Envelopes are shared by subscribers and immutable.
    """

    __slots__ = ("__weakref__", "_cached", "_size", "cursor", "payload", "published_at", "type")

    def __init__(self, payload: Payload, cursor: str | None = None) -> None:
        """Make an envelope; `cursor` is None if it is no part of a channel's log (docs/protocol.md)."""
        self.type = payload.type
        self.payload = payload
        self.cursor = cursor
        self._cached = {}
        self._size: int | None = None
        #: When the hub published it (`time.monotonic`); 0 if it was made for one client.
        self.published_at = 0.0

    def stamped(self, cursor: str) -> Envelope:
        """Return the same message for another channel: with its cursor, and with the same payload and JSON."""
        twin = Envelope(self.payload, cursor)
        twin._cached[_payload_json] = self.payload_json()
        return twin

    def payload_json(self) -> bytes:
        """Return the payload as JSON, encoded once for all formats that contain it; `{}` if it has no keys."""
        return self.cached(_payload_json)

    @property
    def size(self) -> int:
        """Number of bytes of the payload as JSON. Queues count it, for every format in which it may be sent."""
        if self._size is None:
            self._size = len(self.payload_json())
        return self._size

    def __repr__(self) -> str:
        """Return type and cursor only, because payloads are long."""
        return f"Envelope({self.type}, {self.cursor})"


def _payload_json(envelope: Envelope) -> bytes:
    return envelope.payload.json()


def hello(now: datetime, position: Position, heartbeat_seconds: float) -> Envelope:
    """Return the first envelope of every stream; it has the position at which the stream starts."""
    return Envelope(Hello(iso(now), position.cursor, heartbeat_seconds))


def heartbeat(now: datetime) -> Envelope:
    """Return a heartbeat without a check: it has neither cursor nor hash."""
    return Envelope(Heartbeat(iso(now), None, None))


def checked_heartbeat(now: datetime, cursor: str, state_hash: str) -> Envelope:
    """Return a heartbeat with a check: a client that has everything up to `cursor` has a state with this hash."""
    return Envelope(Heartbeat(iso(now), cursor, state_hash))


def access(expires_at: datetime | None) -> Envelope:
    """Return when the token of a client expires; None = never."""
    return Envelope(Access(None if expires_at is None else iso(expires_at)))


def goodbye(reason: str, reconnect_after_ms: int, cursor: str | None = None) -> Envelope:
    """Return the last envelope of a stream: when to reconnect, and with which cursor if the client may not know it."""
    return Envelope(Goodbye(reason, reconnect_after_ms, cursor))


def gap(reason: str, from_: str, to: Position) -> Envelope:
    """Return the announcement that the events between two cursors were not delivered; a snapshot follows.

    It has no cursor, because a client that reconnected with it before the snapshot arrived would never get one.
    """
    return Envelope(Gap(reason, from_, to.cursor))


def state(snapshot: BoardState, cursor: str) -> Envelope:
    """Return the whole state of a board."""
    return Envelope(State(snapshot), cursor)


def overview(current: DashboardOverview, cursor: str) -> Envelope:
    """Return the overview of a dashboard."""
    return Envelope(Overview(current), cursor)


def attempt_status(attempt: AttemptId, card: CardId | None, status: AttemptStatus, cursor: str) -> Envelope:
    """Return the status of an attempt; the key `cardId` is absent if the card is not known."""
    return Envelope(AttemptStatusChanged(attempt, card, status), cursor)
