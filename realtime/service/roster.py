"""The roster: each node writes what it is and how it does, and reads that of the others, for the operator."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from realtime.errors import StoreUnavailable
from realtime.node import Node
from realtime.ports import StoredNode

__all__ = ["Figures", "figures_of", "is_silent", "listed", "nodes_beside"]

#: Seconds from one row of a node to the next.
BEAT_SECONDS = 5.0
#: After so many seconds without a new row a node counts as silent, and is forgotten.
SILENT_SECONDS, FORGOTTEN_SECONDS = 15.0, 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Figures:
    """How a node does. The counts are those since its start."""

    #: Streams that are open now.
    readers: int = 0
    events_stored: int = 0
    #: Boards that are behind the log now, as far as known; the dashboard counts as one.
    heads_behind: int = 0
    #: Times that missed events were read from the log: those of other nodes, too.
    repairs: int = 0
    #: Times that hints of this node or to it were lost, so that heads had to be compared.
    hints_lost: int = 0
    #: Times that the line to the broker was opened again.
    hint_retries: int = 0
    #: Requests that had to wait for a connection to the database.
    pool_waits: int = 0
    #: Why the broker cannot be used; empty = it can.
    broker_problem: str = ""
    #: Whether the node has the jobs of the installation.
    is_leader: bool = True


def figures_of(node: Node) -> Figures:
    """Return how a node does now."""
    broker = node.broker.statistics()
    return Figures(
        readers=sum(exit.readers for exit in node.counters.exits.values()),
        events_stored=node.counters.events_stored,
        heads_behind=len(node.repair),
        repairs=node.repair.repairs,
        hints_lost=broker.lost,
        hint_retries=broker.retries,
        pool_waits=node.store.waits,
        broker_problem=broker.problem,
        is_leader=node.leads(),
    )


async def nodes_beside(node: Node) -> list[StoredNode]:
    """Return all nodes on the store of `node`, by name; that one as it is now.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    own = _row_of(node)
    if not node.store.is_shared:
        return [own]
    others = [one for one in await node.store.nodes.all() if one.id != own.id]
    return sorted([*others, own], key=lambda one: (one.name, one.started_at))


def is_silent(node: StoredNode, now: datetime) -> bool:
    """Return whether a node should have written a newer row."""
    return now - node.seen_at > timedelta(seconds=SILENT_SECONDS)


@asynccontextmanager
async def listed(node: Node) -> AsyncIterator[None]:
    """Keep the row of `node` in the store for the length of the block, if there may be others."""
    if not node.store.is_shared:
        yield
        return
    writing = asyncio.create_task(_keep_row(node), name="roster")
    try:
        yield
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        with suppress(StoreUnavailable):  # the others forget it later
            await node.store.nodes.remove(node.identity.id)


async def _keep_row(node: Node) -> None:
    while True:
        try:
            own = _row_of(node)
            await node.store.nodes.put(own, own.seen_at - timedelta(seconds=FORGOTTEN_SECONDS))
        except StoreUnavailable:
            pass  # the store logs its outages itself
        except Exception:
            log.exception("the row of this node could not be written, that is tried again")
        await asyncio.sleep(BEAT_SECONDS)


def _row_of(node: Node) -> StoredNode:
    return StoredNode(*node.identity, node.started_at, node.clock(), asdict(figures_of(node)))
