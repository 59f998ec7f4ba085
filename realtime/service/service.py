"""The service: all requests to the core, grouped by noun. Each method takes its caller.

Only the service checks the access policy. An exit or entry gets a `Service`, never its node.
"""

from __future__ import annotations

from collections.abc import Hashable

from realtime.fanout.counters import ConnectionMetrics
from realtime.node import Node
from realtime.service.access import Access, Caller, OpenAccess
from realtime.service.attempts import Attempts
from realtime.service.boards import Boards
from realtime.service.dashboard import Dashboard
from realtime.service.events import Events
from realtime.service.projects import Projects
from realtime.service.streams import Streams

__all__ = ["Service"]


class Service:
    """The service on one node. It has no state of its own, so several services on one node are equivalent."""

    def __init__(self, node: Node, access: Access | None = None) -> None:
        """Serve `node` with the policy `access`; without a policy, everybody may do everything."""
        policy = access if access is not None else OpenAccess()
        self._node = node
        self._access = policy
        self.boards = Boards(node, policy)
        self.projects = Projects(node, policy)
        self.attempts = Attempts(node, policy)
        self.events = Events(node, policy)
        self.dashboard = Dashboard(node, policy)
        self.streams = Streams(node, policy)
        #: For connections, which belong to no single request: clock, limits, lifetimes and counters.
        self.clock = node.clock
        self.limits = node.limits
        self.lifetimes = node.lifetimes
        self.counters = node.counters

    def metrics(self, exit: str) -> ConnectionMetrics:
        """Return the metrics of a new connection at that exit."""
        return self._node.metrics(exit)

    def sharing_key(self, caller: Caller) -> Hashable:
        """Return a key that is equal for callers who get equal results, valid as long as the service lives."""
        return id(self._node), self._access.scope(caller)

    async def check_store(self) -> None:
        """Return once the store answers.

        Raises:
            StoreUnavailable: it does not answer.
        """
        await self._node.store.ping()
