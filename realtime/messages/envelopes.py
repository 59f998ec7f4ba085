"""Envelopes: what travels, on every exit. What an exit makes of one is made once, however many read it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from realtime.caches import Cached
from realtime.clock import iso
from realtime.dashboard.overview import DashboardOverview
from realtime.kanban.changes import Difference
from realtime.kanban.ids import AttemptId, CardId
from realtime.kanban.models import AttemptStatus, BoardState
from realtime.kanban.wire.board_wire import state_json
from realtime.kanban.wire.change_wire import change_wire
from realtime.kanban.wire.patch import Operation
from realtime.messages.position import Position

__all__ = [
    "Envelope",
    "Payload",
    "attempt_status",
    "checked_heartbeat",
    "gap",
    "goodbye",
    "heartbeat",
    "hello",
    "overview",
    "state",
]

#: Plain JSON values, or a model that is encoded when the first reader needs its bytes; None = no payload at all.
Payload = dict[str, Any] | list[Operation] | BoardState | Difference | DashboardOverview | None


class Envelope(Cached):
    """One message: `type`, `payload`, and the `cursor` behind which a reader stands once it has it.

    Envelopes are shared between readers and never changed.
    """

    __slots__ = ("__weakref__", "_cached", "_size", "cursor", "payload", "type")

    def __init__(self, type: str, payload: Payload, cursor: str | None = None) -> None:
        """Make an envelope; `cursor` is None for those that are no part of a channel (docs/protocol.md)."""
        self.type = type
        self.payload = payload
        self.cursor = cursor
        self._cached = {}
        self._size: int | None = None

    def stamped(self, cursor: str) -> Envelope:
        """Return the same message for another channel: its own cursor, the payload and its bytes shared."""
        twin = Envelope(self.type, self.payload, cursor)
        twin._cached[_payload_json] = self.payload_json()
        return twin

    def payload_json(self) -> bytes:
        """Return the payload as JSON, encoded once for all formats that hold it; `{}` where there is none."""
        return self.cached(_payload_json)

    @property
    def size(self) -> int:
        """Bytes of the payload as JSON: what counts while it waits, whatever the format it leaves in."""
        if self._size is None:
            self._size = len(self.payload_json())
        return self._size

    def __repr__(self) -> str:
        """Show type and cursor; payloads are long."""
        return f"Envelope({self.type}, {self.cursor})"


def _payload_json(envelope: Envelope) -> bytes:
    payload = envelope.payload
    if isinstance(payload, BoardState):
        return state_json(payload)
    if isinstance(payload, DashboardOverview):
        return payload.to_json()
    if isinstance(payload, Difference):
        return orjson.dumps(change_wire(payload))
    return orjson.dumps(payload if payload is not None else {})


def hello(now: datetime, position: Position, heartbeat_seconds: float) -> Envelope:
    """Return the first envelope of every stream; it names the position the stream starts from."""
    payload = {"serverTime": iso(now), "cursor": position.cursor, "heartbeatSeconds": heartbeat_seconds}
    return Envelope("hello", payload)


def heartbeat(now: datetime) -> Envelope:
    """Return a sign of life."""
    return Envelope("heartbeat", {"ts": iso(now)})


def checked_heartbeat(now: datetime, cursor: str, state_hash: str) -> Envelope:
    """Return a sign of life of a stream: whoever has it has all up to `cursor`, and a state of that hash."""
    return Envelope("heartbeat", {"ts": iso(now), "cursor": cursor, "hash": state_hash})


def goodbye(reason: str, reconnect_after_ms: int, cursor: str | None = None) -> Envelope:
    """Return the last envelope of a stream; it says when to come back and, where it is not plain, with which cursor."""
    payload = {"reason": reason, "reconnectAfterMs": reconnect_after_ms}
    return Envelope("goodbye", payload if cursor is None else {**payload, "cursor": cursor})


def gap(reason: str, from_: str, to: Position) -> Envelope:
    """Return the announcement that what lies between two cursors was not delivered; a fresh snapshot follows.

    It is no place to come back to: a reader that is gone before the snapshot came would go on behind it without one.
    """
    return Envelope("gap", {"reason": reason, "from": from_, "to": to.cursor})


def state(snapshot: BoardState, cursor: str) -> Envelope:
    """Return the whole state of a board."""
    return Envelope("state", snapshot, cursor)


def overview(current: DashboardOverview, cursor: str) -> Envelope:
    """Return the dashboard."""
    return Envelope("dashboard_overview", current, cursor)


def attempt_status(attempt: AttemptId, card: CardId | None, status: AttemptStatus, cursor: str) -> Envelope:
    """Return where an attempt stands; the key `cardId` is absent when no card is known."""
    payload: dict[str, Any] = {"attemptId": attempt}
    if card is not None:
        payload["cardId"] = card
    return Envelope("attempt_status", {**payload, "status": status}, cursor)
