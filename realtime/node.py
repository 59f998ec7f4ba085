"""All parts of one process in one object, for the streams and the exits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from realtime.clock import Clock
from realtime.errors import FieldError, InvalidInput, quoted
from realtime.fanout.counters import ConnectionMetrics, Counters
from realtime.fanout.hub import Hub
from realtime.fanout.subscriber import MAX_QUEUED_BYTES, Subscriber
from realtime.fanout.turns import Turns
from realtime.fanout.writer_priority import WriterPriority
from realtime.lifetimes.connection_lifetimes import ConnectionLifetimes
from realtime.limits import Capacity
from realtime.messages.channels import ACCESS, EVERYBODY
from realtime.messages.options import SlowPolicy
from realtime.ports import Broker, Store
from realtime.rates import Rate, Rates, WriteLimits
from realtime.tokens.other_nodes import AccessRefresh, Others
from realtime.tokens.session_book import SessionBook, SessionLimits
from realtime.tokens.token_book import TokenBook
from realtime.views.board_views import BoardViews
from realtime.views.dashboard_feed import DashboardFeed
from realtime.views.dispatcher import Dispatcher
from realtime.views.follower import Follower
from realtime.views.heartbeats import Heartbeats
from realtime.views.repair import Repair
from realtime.writing.bus import Bus

__all__ = ["UNNAMED", "Identity", "Limits", "Node", "PolicyNotAllowed", "make_node"]


class Identity(NamedTuple):
    """A node among those of an installation."""

    #: New at each start, unlike the name.
    id: str = ""
    name: str = ""
    version: str = ""
    #: The URL at which it listens.
    address: str = ""


#: The only node on a store needs no name.
UNNAMED = Identity()


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a node: for its streams, and for the data that clients may create."""

    #: Most envelopes that wait for one subscriber; it must be enough for one batch of events.
    queued_envelopes: int = 10_000
    #: Seconds between two heartbeats on SSE and in the deliveries `changes` and `patch`; `hello` has this value.
    heartbeat_seconds: float = 30.0
    #: Longest lifetime of a connection in seconds; 0 = without limit.
    connection_seconds: float = 0.0
    #: Most bytes of payload that wait for one subscriber; it must be enough for one batch of events.
    queued_bytes: int = MAX_QUEUED_BYTES
    #: Policies that clients may choose for a slow subscriber; the first one is the default.
    slow_policies: tuple[SlowPolicy, ...] = tuple(SlowPolicy)
    #: The most that is stored.
    capacity: Capacity = field(default_factory=Capacity)
    #: Requests of one client per second; 0 = without limit.
    commands_per_second: float = 0.0
    events_per_second: float = 0.0
    sessions: SessionLimits = field(default_factory=SessionLimits)

    def slow_policy(self, asked: str | None) -> SlowPolicy:
        """Return the policy with the name `asked`, or the default for None.

        Raises:
            PolicyNotAllowed: the policy is unknown, or not allowed on this node.
        """
        if asked is None:
            return self.slow_policies[0]
        if asked not in self.slow_policies:
            raise PolicyNotAllowed(self.slow_policies, asked)
        return SlowPolicy(asked)


class PolicyNotAllowed(InvalidInput):
    """A client asked for a policy that is not allowed here."""

    code = "bad_user_input"

    def __init__(self, allowed: Sequence[SlowPolicy], asked: str) -> None:
        """Make a message with the allowed policies."""
        super().__init__(FieldError("slow", f"expected {' or '.join(allowed)}, got {quoted(asked)}"))


@dataclass(frozen=True, slots=True)
class Node:
    """The result of `make_node`. The caller that opened the store closes it."""

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
    tokens: TokenBook
    sessions: SessionBook
    broker: Broker
    follower: Follower
    access: AccessRefresh
    rates: Rates
    identity: Identity
    repair: Repair
    #: Whether this node has the jobs that are done once for the installation.
    leads: Callable[[], bool]
    started_at: datetime
    #: Shared by all streams.
    turns: Turns = field(default_factory=Turns)

    def metrics(self, exit: str) -> ConnectionMetrics:
        """Return the metrics for a new connection at that exit."""
        return ConnectionMetrics(self.counters.exit(exit), exit, self.counters.stream_ended)

    def subscriber(self, metrics: ConnectionMetrics | None = None) -> Subscriber:
        """Return an empty queue for a new subscriber, with the bounds of this node."""
        return Subscriber(self.limits.queued_envelopes, self.limits.queued_bytes, metrics)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow the other nodes on the store for the length of the block, if there may be some."""
        if not self.store.is_shared:
            yield
            return
        async with self.follower.following(self.broker):
            try:
                yield
            finally:
                await self.access.aclose()


async def make_node(
    store: Store,
    broker: Broker,
    clock: Clock,
    limits: Limits,
    identity: Identity = UNNAMED,
    leads: Callable[[], bool] = lambda: True,
) -> Node:
    """Make a node with an open store; `leads` says whether it is the leader of the nodes on it.

    Raises:
        StoreUnavailable: the store did not answer.
    """
    priority, lifetimes, counters = WriterPriority(), ConnectionLifetimes(limits.connection_seconds, clock), Counters()
    hub = Hub(priority)
    views = BoardViews(store, store.epoch)
    dashboard = DashboardFeed(hub, store, clock, store.epoch, await store.offset(EVERYBODY))
    dispatcher = Dispatcher(hub, views, dashboard)
    broker.subscribe(dispatcher.deliver)
    heartbeats = Heartbeats(hub, views, clock, limits.heartbeat_seconds)
    rates = Rates()
    writing = WriteLimits(
        limits.capacity,
        rates.add("commands", Rate(limits.commands_per_second, "commands")),
        rates.add("events", Rate(limits.events_per_second, "events")),
    )
    repair = Repair(store, views, dashboard, dispatcher)
    bus = Bus(store, broker, views, clock, priority, repair, counters, writing)
    others = Others(store.is_shared, lambda: broker.announce({ACCESS: 0}))
    tokens = TokenBook(store, lifetimes, clock, limits.capacity.access_tokens, others)
    sessions = SessionBook(store, lifetimes, clock, limits.sessions, others)
    rates.add("sessions", sessions.rate)
    refresh = AccessRefresh(store, (tokens.load, sessions.load))
    await refresh.begin()
    follower = Follower(store, views, dashboard, repair, refresh.note)
    return Node(
        *(store, hub, lifetimes, views, dashboard, heartbeats, bus, clock, limits, counters),
        *(tokens, sessions, broker, follower, refresh, rates),
        *(identity, repair, leads, clock()),
    )
