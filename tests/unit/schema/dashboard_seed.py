"""A store with an entry in every list of the dashboard, and overviews in a comparable form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from realtime.clock import iso
from realtime.node import Node
from tests.kit.nodes import BOARD, START, create_board, publish
from tests.kit.publishing import event

__all__ = ["FROM", "NOW", "TO", "as_shown", "compared", "seed_dashboard"]

Json = dict[str, Any]
#: Class of the instants, for parsing them.
NOW = datetime
#: Kinds of inbox items.
_KINDS = ("review", "failed", "stuck")
#: Key of a part ("" = the overview) → its keys on the raw exits that say what another key says, or nothing.
_LEFT_OUT = {
    "": {"updatedAt", "attemptsInRange", "successRateInRange", "projectsWithActivityInRange"},
    "projectSnapshots": {"id", "activeAttemptsCount"},
    "health": {"failureRateInRange"},
    "agentStats": {"attemptsStarted", "successRate", "hasActivityInRange"},
    **{key: {"id", "type", "agentName", "lastUpdatedAt", "meta"} for key in _KINDS},
}
#: Names of the raw exits → names of GraphQL.
_RENAMED = {
    "agentId": "agentKey",
    "agentName": "label",
    "finishedAt": "endedAt",
    "lastActivityAt": "lastActiveInRangeAt",
    "occurredAt": "endedAt",
    "recentAttemptActivity": "endedAttempts",
}
#: Keys of the overview whose values are enum values.
_WORDS = {"preset", "status", "kind", "unit", "availableTimeRangePresets"}


@dataclass(frozen=True)
class Bound:
    """An instant, as a client writes it."""

    instant: datetime

    @property
    def text(self) -> str:
        """The instant in the wire's form."""
        return iso(self.instant)


FROM, TO = Bound(START - timedelta(days=2)), Bound(START + timedelta(days=1))


def _before(**before: float) -> str:
    return iso(START - timedelta(**before))


def _cards() -> Json:
    names = ("review", "failed", "queued", "running", "stopped")
    times = {"createdAt": _before(days=3), "updatedAt": _before(days=3)}
    cards = {f"k-{name}": {"id": f"k-{name}", "title": name, **times} for name in names}
    cards["k-review"] |= {"ticketKey": "AB-1", "prUrl": "https://example.com/pull/1"}
    return cards


def _ended(name: str, status: str) -> list[Json]:
    one = {"boardId": BOARD, "attemptId": f"a-{name}", "cardId": f"k-{name}"}
    return [
        event("attempt.queued", {**one, "agent": "CODEX"}, _before(hours=5)),
        event("attempt.started", {**one, "agent": "CODEX"}, _before(hours=4)),
        event("attempt.status.changed", {**one, "status": status, "endedAt": _before(hours=3)}, _before(hours=3)),
    ]


async def seed_dashboard(node: Node) -> None:
    """Make a board with cards, an agent, and attempts: successful, failed, stuck and running."""
    await create_board(node)
    cards = _cards()
    columns = {"c1": {"id": "c1", "title": "Backlog", "cardIds": list(cards)}}
    state = {"columns": columns, "columnOrder": ["c1"], "cards": cards}
    queued = {"boardId": BOARD, "attemptId": "a-queued", "cardId": "k-queued", "agent": "CODEX"}
    running = {"boardId": BOARD, "attemptId": "a-running", "cardId": "k-running", "agent": "CODEX"}
    line = {"boardId": BOARD, "attemptId": "a-failed", "level": "error", "message": "no such file"}
    await publish(
        node,
        event("agent.registered", {"agent": "CODEX", "label": "Codex"}),
        event("board.state.changed", {"boardId": BOARD, "state": state}, _before(days=3)),
        *_ended("review", "succeeded"),
        *_ended("failed", "failed"),
        *_ended("stopped", "stopped"),
        event("attempt.log.appended", line, _before(hours=3)),
        event("attempt.queued", queued, _before(minutes=11)),
        event("attempt.started", running, _before(minutes=5)),
    )


def as_shown(wire: Any, key: str = "") -> Any:
    """Return an overview of the raw exits with the names of GraphQL, and without what GraphQL leaves out."""
    if isinstance(wire, list):
        return [as_shown(one, key) for one in wire]
    if not isinstance(wire, dict):
        return wire
    kept = {name: value for name, value in wire.items() if name not in _LEFT_OUT.get(key, ())}
    return {_RENAMED.get(name, name): as_shown(value, name) for name, value in kept.items()}


def compared(overview: Any, key: str = "") -> Any:
    """Convert an overview of GraphQL, or one of `as_shown`, to one form.

    Enum values are in lower case, null values are left out, series are sorted by key, inbox items appear once, and
    bounds are instants.
    """
    if isinstance(overview, list):
        return [compared(one, key) for one in overview]
    if isinstance(overview, dict):
        parts = _series_by_key(overview)
        return {name: compared(value, name) for name, value in parts.items() if value is not None and name != "items"}
    if key in {"from", "to", "timestamp"}:
        return NOW.fromisoformat(overview)
    return overview.lower() if key in _WORDS and isinstance(overview, str) else overview


def _series_by_key(part: Json) -> Json:
    if "series" not in part:
        return part
    by_key = {one["key"]: {name: value for name, value in one.items() if name != "key"} for one in part["series"]}
    return {**{name: value for name, value in part.items() if name != "series"}, "byKey": by_key}
