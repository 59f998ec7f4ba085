"""The only place that chooses back-ends: settings → an open node."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from realtime.backends.memory import MemoryBroker
from realtime.backends.sql.store import SqlStore
from realtime.clock import Clock, frozen_clock, parse_iso, system_clock
from realtime.limits import Capacity
from realtime.node import Limits, Node, make_node
from realtime.retention import Retention, pruning
from server.settings import Settings

__all__ = ["open_node"]


@asynccontextmanager
async def open_node(settings: Settings) -> AsyncIterator[Node]:
    """Open the store, put a node on it, and close both afterwards, in reverse.

    Raises:
        StoreUnusable: the database cannot be opened.
    """
    clock = _clock(settings)
    store = SqlStore(settings.database_url, clock=clock, exclusive=True)
    try:
        await store.open()
        node = await make_node(store, MemoryBroker(), clock, _limits(settings))
        try:
            async with pruning(store, clock, _retention(settings)):
                yield node
        finally:
            await node.bus.aclose()
    finally:
        await store.aclose()


def _retention(settings: Settings) -> Retention:
    age = timedelta(days=settings.retention_days) if settings.retention_days else None
    return Retention(age, settings.retention_events or None, settings.prune_seconds)


def _limits(settings: Settings) -> Limits:
    return Limits(
        queued_envelopes=settings.max_queued_envelopes,
        heartbeat_seconds=settings.heartbeat_seconds,
        connection_seconds=settings.max_connection_seconds,
        queued_bytes=settings.max_queued_bytes,
        slow_policies=settings.allowed_slow_policies,
        capacity=Capacity(
            boards=settings.max_boards,
            agents=settings.max_agents,
            profiles=settings.max_agent_profiles,
            cards_per_board=settings.max_cards_per_board,
            board_bytes=settings.max_board_bytes,
        ),
        commands_per_second=settings.max_commands_per_second,
        events_per_second=settings.max_events_per_second,
    )


def _clock(settings: Settings) -> Clock:
    return frozen_clock(parse_iso(settings.clock)) if settings.clock else system_clock
