"""Payloads of the stream itself: its beginning, its heartbeats, its end, and replies to one client."""

from __future__ import annotations

from typing import ClassVar

from realtime.kanban.input.fields import IsoTime
from realtime.messages.payloads.base import Payload, key, optional_key, payload

__all__ = ["Access", "CommandRefused", "Gap", "Goodbye", "Heartbeat", "Hello", "Pong"]


@payload
class Hello(Payload):
    """The first envelope of every stream."""

    type: ClassVar[str] = "hello"
    server_time: IsoTime = key("The server's clock.")
    cursor: str = key("The position where the stream starts.")
    heartbeat_seconds: float = key("Seconds between two heartbeats.")


@payload
class Heartbeat(Payload):
    """A heartbeat."""

    type: ClassVar[str] = "heartbeat"
    ts: IsoTime = key("The server's clock.")
    cursor: str | None = optional_key("Deliveries `changes` and `patch`: the position behind all that came.")
    hash: str | None = optional_key("Deliveries `changes` and `patch`: the hash of the state there.")


@payload
class Pong(Payload):
    """The answer to `ping`, on WebSocket."""

    type: ClassVar[str] = "pong"
    ts: IsoTime = key("The server's clock.")


@payload
class Access(Payload):
    """The token of this client expires soon; on WebSocket also the answer to `authenticate`."""

    type: ClassVar[str] = "access"
    expires_at: IsoTime | None = key("When the token expires; null = never.")


@payload
class CommandRefused(Payload):
    """A command of this client was refused, on WebSocket."""

    type: ClassVar[str] = "error"
    command: str | None = key("The type that came, cut at 64 characters; null when there was none.")
    code: str = key("Why: one of the codes of [commands](protocol.md#commands).")
    message: str = key("A sentence for people.")


@payload
class Gap(Payload):
    """The envelopes between two cursors could not be delivered; a fresh snapshot follows."""

    type: ClassVar[str] = "gap"
    reason: str = key("Why: one of the reasons of [gaps](protocol.md#gaps).")
    from_: str = key("The cursor behind which the gap begins.")
    to: str = key("The cursor up to which it goes.")


@payload
class Goodbye(Payload):
    """The last envelope of a stream that the server ends."""

    type: ClassVar[str] = "goodbye"
    reason: str = key("Why: one of the reasons of [endings](protocol.md#how-a-stream-ends).")
    reconnect_after_ms: int = key("Milliseconds to wait before the client comes back.")
    cursor: str | None = optional_key("The cursor to come back with, where it is not that of the last envelope.")
