"""Envelopes of any type and payload, for tests of what carries them; and payloads as a client reads them."""

from __future__ import annotations

import builtins
from functools import lru_cache
from typing import Any

import orjson

from realtime.messages.envelopes import Envelope
from realtime.messages.payloads import Payload

__all__ = ["decoded", "plain"]


class _Plain(Payload):
    """A payload that is the JSON it is given; its type comes with a class of its own."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def json(self) -> bytes:
        return orjson.dumps(self._value)


def plain(type: str, payload: Any, cursor: str | None = None) -> Envelope:
    """Return an envelope of a type that need not exist, with `payload` as its JSON."""
    return Envelope(_kind(type)(payload), cursor)


def decoded(envelope: Envelope) -> Any:
    """Return the payload of an envelope as a client reads it from JSON."""
    return orjson.loads(envelope.payload_json())


@lru_cache
def _kind(type: str) -> builtins.type[_Plain]:
    return builtins.type("Plain", (_Plain,), {"__slots__": (), "type": type})
