"""The service: all requests to the core, grouped by noun. Each method takes its caller.

Only the service checks grants. An exit or entry gets a `Service`, never its node.
"""

from __future__ import annotations

from collections.abc import Hashable

from realtime.fanout.counters import ConnectionMetrics
from realtime.kanban.grants import Action
from realtime.node import Node
from realtime.service.access import Caller, check_everywhere
from realtime.service.access_log import note
from realtime.service.attempts import Attempts
from realtime.service.boards import Boards
from realtime.service.dashboard import Dashboard
from realtime.service.events import Events
from realtime.service.nodes import Nodes
from realtime.service.projects import Projects
from realtime.service.sessions import Sessions
from realtime.service.streams import Streams
from realtime.service.tokens import Tokens

__all__ = ["Service"]


class Service:
    """The service on one node. It has no state of its own, so several services on one node are equivalent."""

    def __init__(self, node: Node) -> None:
        """Serve `node`."""
        self._node = node
        self.boards = Boards(node)
        self.projects = Projects(node)
        self.attempts = Attempts(node)
        self.events = Events(node)
        self.dashboard = Dashboard(node)
        self.streams = Streams(node)
        self.tokens = Tokens(node)
        self.sessions = Sessions(node)
        self.nodes = Nodes(node)
        #: For connections, which belong to no single request: clock, limits, rates, lifetimes and counters.
        self.clock = node.clock
        self.limits = node.limits
        self.rates = node.rates
        self.lifetimes = node.lifetimes
        self.counters = node.counters
        self.identity = node.identity

    @property
    def has_neighbours(self) -> bool:
        """Whether there may be other nodes on the store."""
        return self._node.store.is_shared

    def metrics(self, exit: str) -> ConnectionMetrics:
        """Return the metrics of a new connection at that exit."""
        return self._node.metrics(exit)

    def sharing_key(self, caller: Caller) -> Hashable:
        """Return a key that is equal for callers who get equal results, valid as long as the service lives."""
        return id(self._node), caller.grants

    def check_metrics(self, caller: Caller) -> None:
        """Return if the caller may read the metrics of the server.

        Raises:
            Forbidden: it may not.
        """
        check_everywhere(caller, Action.ADMIN)
        note("the metrics were read")

    async def check_store(self) -> None:
        """Return once the store answers.

        Raises:
            StoreUnavailable: it does not answer.
        """
        await self._node.store.ping()

    async def check_broker(self) -> None:
        """Return if hints reach the other nodes.

        Raises:
            BrokerUnavailable: they do not.
        """
        await self._node.broker.ping()
