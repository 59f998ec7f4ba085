"""How much there is already of what is bounded (docs/protocol.md, "Limits"): a port, part of `ports.Transaction`."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Inventory"]


class Inventory(Protocol):
    """Looks inside a unit of writing, where nobody else makes more."""

    def board_count(self) -> int:
        """Return how many boards there are."""

    def agent_keys(self) -> set[str]:
        """Return the keys of all agents."""

    def profile_ids(self) -> set[str]:
        """Return the ids of all profiles."""
