"""Nodes: what an admin reads about the servers of an installation, and the numbers of this one."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.kanban.grants import Action
from realtime.node import Node
from realtime.ports import StoredNode
from realtime.service.access import Caller, check_everywhere
from realtime.service.access_log import note
from realtime.service.roster import Figures, figures_of, is_silent, nodes_beside

__all__ = ["Nodes", "SeenNode"]


@dataclass(frozen=True, slots=True)
class SeenNode:
    """A node of the installation."""

    node: StoredNode
    figures: Figures
    #: Whether it has not been heard of for a while.
    is_silent: bool


@dataclass(frozen=True, slots=True)
class Nodes:
    """Requests about nodes."""

    _node: Node

    async def all(self, caller: Caller) -> list[SeenNode]:
        """Return all nodes, by name. Those that have ended are not among them.

        Raises:
            Forbidden: the caller is no admin of all boards.
            StoreUnavailable: the store did not answer.
        """
        check_everywhere(caller, Action.ADMIN)
        note("the nodes were read")
        now = self._node.clock()
        return [SeenNode(one, _figures(one), is_silent(one, now)) for one in await nodes_beside(self._node)]

    def own(self) -> Figures:
        """Return how this node does. The caller has been checked (`Service.check_metrics`)."""
        return figures_of(self._node)


def _figures(node: StoredNode) -> Figures:
    # A node of another version may have other figures.
    known = Figures.__dataclass_fields__
    return Figures(**{name: value for name, value in node.figures.items() if name in known})
