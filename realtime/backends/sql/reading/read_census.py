"""Numbers and keys of limited things; they are read in the write unit that adds to them."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from realtime.backends.sql.gathered import gathered_values
from realtime.backends.sql.tables import agents, profiles, projects

__all__ = ["count_boards", "load_agent_keys", "load_profile_ids"]

_boards = select(func.count()).select_from(projects)


def count_boards(connection: Connection) -> int:
    """Return the number of boards."""
    return connection.execute(_boards).scalar_one()


def load_agent_keys(connection: Connection) -> set[str]:
    """Return the keys of all agents."""
    return set(gathered_values(connection, agents.c.key))


def load_profile_ids(connection: Connection) -> set[str]:
    """Return the ids of all profiles."""
    return set(gathered_values(connection, profiles.c.id))
