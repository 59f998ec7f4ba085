"""Numbers of boards, agents and profiles, counted through a batch of events (docs/protocol.md, "Limits")."""

from __future__ import annotations

from realtime.kanban import events
from realtime.kanban.events import DomainEvent
from realtime.limits import Capacity
from realtime.ports import Inventory

__all__ = ["Census"]


class Census:
    """Counts the things that events create; the existing ones are read at the first such event."""

    def __init__(self, inventory: Inventory, capacity: Capacity) -> None:
        """Start with the numbers of the `inventory`."""
        self._inventory = inventory
        self._capacity = capacity
        self._boards: int | None = None
        self._agents: set[str] | None = None
        self._profiles: set[str] | None = None

    def overflow(self, event: DomainEvent, *, is_new_board: bool = False) -> str | None:
        """Count the thing that `event` creates or deletes; return why it may not, None if it may."""
        match event:
            case events.ProjectCreated() if is_new_board:
                return self._count_board(1)
            case events.ProjectDeleted():
                return self._count_board(-1)
            case events.AgentRegistered():
                if self._agents is None:
                    self._agents = self._inventory.agent_keys()
                return _added(self._agents, event.agent, self._capacity.agents, "agents")
            case events.AgentProfileChanged():
                return self._count_profile(event)
            case _:
                return None

    def _count_board(self, made: int) -> str | None:
        if self._boards is None:
            self._boards = self._inventory.board_count()
        if made > 0 and self._boards >= self._capacity.boards:
            return _sentence(self._capacity.boards, "boards")
        self._boards += made
        return None

    def _count_profile(self, event: events.AgentProfileChanged) -> str | None:
        if self._profiles is None:
            self._profiles = self._inventory.profile_ids()
        if event.kind == "deleted":
            self._profiles.discard(event.profile_id)
            return None
        return _added(self._profiles, event.profile_id, self._capacity.profiles, "profiles")


def _added(known: set[str], id: str, most: int, what: str) -> str | None:
    if id not in known:
        if len(known) >= most:
            return _sentence(most, what)
        known.add(id)
    return None


def _sentence(most: int, what: str) -> str:
    return f"expected at most {most} {what}, there are as many"
