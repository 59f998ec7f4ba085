"""Events of agents and their profiles; they are global."""

from __future__ import annotations

from typing import Literal

from realtime.kanban.events.base import DomainEvent
from realtime.kanban.ids import Id

__all__ = ["AgentProfileChanged", "AgentRegistered"]


class AgentRegistered(DomainEvent):
    """An agent can be used."""

    type: Literal["agent.registered"] = "agent.registered"
    agent: Id
    label: str | None = None


class AgentProfileChanged(DomainEvent):
    """A profile of an agent was made, changed or deleted."""

    type: Literal["agent.profile.changed"] = "agent.profile.changed"
    profile_id: Id
    agent: Id
    kind: Literal["created", "updated", "deleted"]
    label: str | None = None
