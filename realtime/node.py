"""One process's part in the system: everything the streams and the doors need, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from realtime.board_views import BoardViews
from realtime.bus import Bus
from realtime.channels import EVERYBODY
from realtime.clock import Clock
from realtime.dashboard_feed import DashboardFeed
from realtime.delivery import Deliverer
from realtime.heartbeats import Heartbeats
from realtime.hub import Hub
from realtime.leases import Leases
from realtime.ports import (
    AttemptReader,
    BatchReader,
    BoardReader,
    Broker,
    DashboardReader,
    EventStore,
    HistoryReader,
)

__all__ = ["Limits", "Node", "Store", "make_node"]


class Store(EventStore, BoardReader, AttemptReader, BatchReader, HistoryReader, DashboardReader, Protocol):
    """A store that can do all the node needs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the streams of a node."""

    #: Most envelopes that wait for one reader; must hold what one batch of events makes.
    queued_envelopes: int = 10_000
    #: Seconds between two signs of life on SSE and in the deliveries `changes` and `patch`, told in `hello`.
    heartbeat_seconds: float = 30.0
    #: Most seconds that a connection lasts; 0 = as long as it likes.
    connection_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Node:
    """What `make_node` puts together; opened and closed by who made the store."""

    store: Store
    hub: Hub
    leases: Leases
    views: BoardViews
    dashboard: DashboardFeed
    heartbeats: Heartbeats
    bus: Bus
    clock: Clock
    limits: Limits


async def make_node(store: Store, broker: Broker, clock: Clock, limits: Limits) -> Node:
    """Put a node together on an open store.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    hub, leases = Hub(), Leases(limits.connection_seconds)
    views = BoardViews(store, store.epoch)
    dashboard = DashboardFeed(hub, store, clock, store.epoch, await store.offset(EVERYBODY))
    broker.subscribe(Deliverer(hub, views, dashboard).deliver)
    heartbeats = Heartbeats(hub, views, clock, limits.heartbeat_seconds)
    bus = Bus(store, broker, views, clock)
    return Node(store, hub, leases, views, dashboard, heartbeats, bus, clock, limits)
