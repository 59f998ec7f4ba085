"""Events of agents and their profiles; they are global."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from realtime.kanban.events.base import DomainEvent
from realtime.kanban.ids import Id

__all__ = ["AgentProfileChanged", "AgentRegistered"]


class AgentRegistered(DomainEvent):
    """An agent can be used."""

    type: Literal["agent.registered"] = "agent.registered"
    agent: Id = Field(description="Key of the agent, like `CODEX`, 1 to 200 characters.")
    label: str | None = Field(default=None, description="What people call it; null for its key.")


class AgentProfileChanged(DomainEvent):
    """A profile of an agent was made, changed or deleted."""

    type: Literal["agent.profile.changed"] = "agent.profile.changed"
    profile_id: Id = Field(description="Id of the profile.")
    agent: Id = Field(description="Key of the agent the profile is of, 1 to 200 characters.")
    kind: Literal["created", "updated", "deleted"] = Field(description="What happened to the profile.")
    label: str | None = Field(default=None, description="What people call the profile; null for none.")
