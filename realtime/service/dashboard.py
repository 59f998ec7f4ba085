"""The dashboard: its overview, and the registered agents.

Every method raises `StoreUnavailable` if the store does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.dashboard.model import DashboardOverview
from realtime.dashboard.time_range import TimeRange
from realtime.kanban.grants import Action
from realtime.node import Node
from realtime.ports import Agent, Profile
from realtime.service.access import Caller, check_everywhere

__all__ = ["Dashboard"]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Requests about all projects together; they need the grant for the dashboard."""

    _node: Node

    async def overview(self, caller: Caller, time_range: TimeRange) -> DashboardOverview:
        """Compute the overview of all projects.

        Raises:
            Forbidden: the caller may not read the dashboard.
        """
        check_everywhere(caller, Action.DASHBOARD)
        return await self._node.dashboard.overview(time_range)

    async def agents(self, caller: Caller) -> tuple[list[Agent], list[Profile]]:
        """Return the registered agents and their profiles, oldest first; none if the caller may not see them."""
        if not caller.may(Action.DASHBOARD, None):
            return [], []
        return await self._node.store.agents()
