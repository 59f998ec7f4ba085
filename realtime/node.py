"""One process's part in the system: everything the streams and the doors need, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from realtime.board_views import BoardViews
from realtime.bus import Bus
from realtime.channels import EVERYBODY
from realtime.clock import Clock
from realtime.counters import Account, Counters
from realtime.dashboard_feed import DashboardFeed
from realtime.delivery import Deliverer
from realtime.errors import FieldError, InvalidInput, quoted
from realtime.heartbeats import Heartbeats
from realtime.hub import Hub
from realtime.leases import Leases
from realtime.limits import Capacity
from realtime.options import SlowPolicy
from realtime.ports import (
    AttemptReader,
    BatchReader,
    BoardReader,
    Broker,
    DashboardReader,
    EventStore,
    HistoryReader,
)
from realtime.rates import Rate, WriteLimits
from realtime.repair import Repair
from realtime.right_of_way import RightOfWay
from realtime.subscriber import MAX_QUEUED_BYTES, Subscriber

__all__ = ["Limits", "Node", "PolicyNotAllowed", "Store", "make_node"]


class Store(EventStore, BoardReader, AttemptReader, BatchReader, HistoryReader, DashboardReader, Protocol):
    """A store that can do all the node needs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds the streams of a node, and what clients may make on it."""

    #: Most envelopes that wait for one reader; must hold what one batch of events makes.
    queued_envelopes: int = 10_000
    #: Seconds between two signs of life on SSE and in the deliveries `changes` and `patch`, told in `hello`.
    heartbeat_seconds: float = 30.0
    #: Most seconds that a connection lasts; 0 = as long as it likes.
    connection_seconds: float = 0.0
    #: Most bytes of payload that wait for one reader; must hold what one batch of events makes.
    queued_bytes: int = MAX_QUEUED_BYTES
    #: What readers may choose for when they are too slow; the first is for those that do not.
    slow_policies: tuple[SlowPolicy, ...] = tuple(SlowPolicy)
    #: The most that is kept.
    capacity: Capacity = field(default_factory=Capacity)
    #: What a client may ask for in a second; 0 = as much as it likes.
    commands_per_second: float = 0.0
    events_per_second: float = 0.0

    def slow_policy(self, asked: str | None) -> SlowPolicy:
        """Return the policy for a reader that asks for one by its name, or for none.

        Raises:
            PolicyNotAllowed: there is no such policy, or not here.
        """
        if asked is None:
            return self.slow_policies[0]
        if asked not in self.slow_policies:
            raise PolicyNotAllowed(self.slow_policies, asked)
        return SlowPolicy(asked)


class PolicyNotAllowed(InvalidInput):
    """A reader asked for a policy that it can not have here."""

    code = "bad_user_input"

    def __init__(self, allowed: Sequence[SlowPolicy], asked: str) -> None:
        """Name what may be asked for."""
        super().__init__(FieldError("slow", f"expected {' or '.join(allowed)}, got {quoted(asked)}"))


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
    counters: Counters

    def account(self, exit: str) -> Account:
        """Return what a new connection at that exit is counted under."""
        return Account(self.counters.exit(exit))

    def subscriber(self, account: Account | None = None) -> Subscriber:
        """Return an empty queue for a new reader, bounded as all are here."""
        return Subscriber(self.limits.queued_envelopes, self.limits.queued_bytes, account)


async def make_node(store: Store, broker: Broker, clock: Clock, limits: Limits) -> Node:
    """Put a node together on an open store.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    way, leases, counters = RightOfWay(), Leases(limits.connection_seconds), Counters()
    hub = Hub(way)
    views = BoardViews(store, store.epoch)
    dashboard = DashboardFeed(hub, store, clock, store.epoch, await store.offset(EVERYBODY))
    deliverer = Deliverer(hub, views, dashboard)
    broker.subscribe(deliverer.deliver)
    heartbeats = Heartbeats(hub, views, clock, limits.heartbeat_seconds)
    writing = WriteLimits(
        limits.capacity, Rate(limits.commands_per_second, "commands"), Rate(limits.events_per_second, "events")
    )
    repair = Repair(store, views, dashboard, deliverer)
    bus = Bus(store, broker, views, clock, way, repair, counters, writing)
    return Node(store, hub, leases, views, dashboard, heartbeats, bus, clock, limits, counters)
