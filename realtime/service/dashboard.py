"""The dashboard: its overview, and the registered agents.

Every method raises `StoreUnavailable` if the store does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.dashboard.model import DashboardOverview
from realtime.dashboard.time_range import TimeRange
from realtime.node import Node
from realtime.ports import Agent, Profile
from realtime.service.access import Access, Action, Caller, board_not_found

__all__ = ["Dashboard"]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Requests about the dashboard."""

    _node: Node
    _access: Access

    async def overview(self, caller: Caller, time_range: TimeRange) -> DashboardOverview:
        """Compute the overview of all projects.

        Raises:
            NotFound: the caller may not read the dashboard.
        """
        if not self._access.allows(caller, Action.DASHBOARD, None):
            raise board_not_found()
        return await self._node.dashboard.overview(time_range)

    async def agents(self, caller: Caller) -> tuple[list[Agent], list[Profile]]:
        """Return the registered agents and their profiles, oldest first; none if the caller may not see them."""
        if not self._access.allows(caller, Action.DASHBOARD, None):
            return [], []
        return await self._node.store.agents()
