"""Payloads about agents and their profiles; every stream has them."""

from __future__ import annotations

from typing import ClassVar, Literal

from realtime.kanban.ids import Id
from realtime.messages.payloads.base import Payload, key, payload

__all__ = ["AgentProfile", "AgentRegistered"]


@payload
class AgentProfile(Payload):
    """A profile of an agent was made, changed or deleted."""

    type: ClassVar[str] = "agent_profile"
    kind: Literal["created", "updated", "deleted"] = key("What happened to the profile.")
    profile_id: Id = key("Id of the profile.")
    agent: Id = key("Key of the agent, like `CODEX`.")
    label: str | None = key("What people call the profile; null for none.")


@payload
class AgentRegistered(Payload):
    """An agent can be used."""

    type: ClassVar[str] = "agent_registered"
    agent: Id = key("Key of the agent, like `CODEX`.")
    label: str | None = key("What people call it; null for its key.")
