"""One process's part in the system: everything the streams and the doors need, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from realtime.clock import Clock
from realtime.errors import FieldError, InvalidInput, quoted
from realtime.fanout.connection_lifetimes import ConnectionLifetimes
from realtime.fanout.counters import ConnectionMetrics, Counters
from realtime.fanout.hub import Hub
from realtime.fanout.subscriber import MAX_QUEUED_BYTES, Subscriber
from realtime.fanout.writer_priority import WriterPriority
from realtime.limits import Capacity
from realtime.messages.channels import EVERYBODY
from realtime.messages.options import SlowPolicy
from realtime.ports import Broker, Store
from realtime.rates import Rate, WriteLimits
from realtime.views.board_views import BoardViews
from realtime.views.dashboard_feed import DashboardFeed
from realtime.views.dispatcher import Dispatcher
from realtime.views.heartbeats import Heartbeats
from realtime.views.repair import Repair
from realtime.writing.bus import Bus

__all__ = ["Limits", "Node", "PolicyNotAllowed", "make_node"]


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
    lifetimes: ConnectionLifetimes
    views: BoardViews
    dashboard: DashboardFeed
    heartbeats: Heartbeats
    bus: Bus
    clock: Clock
    limits: Limits
    counters: Counters

    def metrics(self, exit: str) -> ConnectionMetrics:
        """Return what a new connection at that exit is counted under."""
        return ConnectionMetrics(self.counters.exit(exit))

    def subscriber(self, metrics: ConnectionMetrics | None = None) -> Subscriber:
        """Return an empty queue for a new reader, bounded as all are here."""
        return Subscriber(self.limits.queued_envelopes, self.limits.queued_bytes, metrics)


async def make_node(store: Store, broker: Broker, clock: Clock, limits: Limits) -> Node:
    """Put a node together on an open store.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    priority, lifetimes, counters = WriterPriority(), ConnectionLifetimes(limits.connection_seconds), Counters()
    hub = Hub(priority)
    views = BoardViews(store, store.epoch)
    dashboard = DashboardFeed(hub, store, clock, store.epoch, await store.offset(EVERYBODY))
    dispatcher = Dispatcher(hub, views, dashboard)
    broker.subscribe(dispatcher.deliver)
    heartbeats = Heartbeats(hub, views, clock, limits.heartbeat_seconds)
    writing = WriteLimits(
        limits.capacity, Rate(limits.commands_per_second, "commands"), Rate(limits.events_per_second, "events")
    )
    repair = Repair(store, views, dashboard, dispatcher)
    bus = Bus(store, broker, views, clock, priority, repair, counters, writing)
    return Node(store, hub, lifetimes, views, dashboard, heartbeats, bus, clock, limits, counters)
