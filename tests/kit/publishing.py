"""Publishes domain events from outside, through the ingest that every runner uses (docs/ingest.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tests.kit.raw_http import Address, Answer, exchange

__all__ = ["Publisher", "event"]


def event(name: str, payload: dict[str, Any], at: str | None = None) -> dict[str, Any]:
    """Return an event in the form of the ingest."""
    return {"name": name, "payload": payload, **({"at": at} if at else {})}


@dataclass(frozen=True)
class Publisher:
    """A client of `POST /api/v1/events`."""

    address: Address

    async def try_publish(self, events: Sequence[dict[str, Any]]) -> Answer:
        """Publish and return the answer, whatever it is."""
        return await exchange(self.address, "POST", "/api/v1/events", orjson.dumps(events))

    async def publish(self, *events: dict[str, Any]) -> list[str]:
        """Publish events, which must all be accepted; return their cursors."""
        answer = await self.try_publish(events)
        assert answer.status == 202, f"expected 202, got {answer.status} {answer.body!r:.500}"
        accepted = orjson.loads(answer.body)["accepted"]
        assert [one["name"] for one in accepted] == [one["name"] for one in events]
        return [one["cursor"] for one in accepted]

    async def mark(self, label: str) -> None:
        """Publish a marker that reaches every subscriber of every channel: an agent with this label."""
        await self.publish(event("agent.registered", {"agent": "MARKER", "label": label}))
