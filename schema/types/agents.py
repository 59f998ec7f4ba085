"""Registered agents and their profiles as GraphQL shows them."""

from __future__ import annotations

import strawberry

from realtime import ports
from realtime.global_ids import Kind, global_id
from schema.types.node import Node

__all__ = ["Agent", "Profile", "agents_of"]


@strawberry.type(description="A profile of an agent: a way to run it.")
class Profile(Node):
    """The fields are read from `ports.Profile`."""

    id: strawberry.ID = strawberry.field(name="profileId", description="Id of the profile, as its sender gave it.")
    label: str | None = strawberry.field(description="Its name for people, if it has one.")


@strawberry.type(description="An agent that was registered (`agent.registered`).")
class Agent(Node):
    """An agent with its profiles."""

    key: str = strawberry.field(name="agentKey", description="Key of the agent, like `CODEX`.")
    label: str | None = strawberry.field(description="Its name for people, if it has one.")
    profiles: list[ports.Profile] = strawberry.field(
        graphql_type=list[Profile], description="Its profiles, oldest first."
    )

    def __post_init__(self) -> None:
        """Make the field `id`."""
        self.global_id = strawberry.ID(global_id(Kind.AGENT, self.key, self.key))


def agents_of(agents: list[ports.Agent], profiles: list[ports.Profile]) -> list[Agent]:
    """Return the agents, each with its profiles; profiles of unregistered agents are left out."""
    return [
        Agent(
            key=agent.key,
            label=agent.label,
            profiles=[profile for profile in profiles if profile.agent == agent.key],
        )
        for agent in agents
    ]
