"""Registered agents and their profiles as GraphQL shows them."""

from __future__ import annotations

import strawberry

from realtime import ports

__all__ = ["Agent", "Profile", "agents_of"]


@strawberry.type(description="A profile of an agent: a way to run it.")
class Profile:
    """The fields are read from `ports.Profile`."""

    id: strawberry.ID = strawberry.field(description="Id of the profile, as its sender gave it.")
    label: str | None = strawberry.field(description="Its name for people, if it has one.")


@strawberry.type(description="An agent that was registered (`agent.registered`).")
class Agent:
    """An agent with its profiles."""

    key: strawberry.ID = strawberry.field(description="Key of the agent, like `CODEX`.")
    label: str | None = strawberry.field(description="Its name for people, if it has one.")
    profiles: list[ports.Profile] = strawberry.field(
        graphql_type=list[Profile], description="Its profiles, oldest first."
    )


def agents_of(agents: list[ports.Agent], profiles: list[ports.Profile]) -> list[Agent]:
    """Return the agents, each with its profiles; profiles of unregistered agents are left out."""
    return [
        Agent(
            key=strawberry.ID(agent.key),
            label=agent.label,
            profiles=[profile for profile in profiles if profile.agent == agent.key],
        )
        for agent in agents
    ]
