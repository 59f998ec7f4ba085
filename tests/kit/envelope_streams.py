"""The streams envelope by envelope, as GraphQL reads them; tests of what is told look at each."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from realtime.batches import Batch
from realtime.dashboard.time_range import TimeRange
from realtime.envelopes import Envelope
from realtime.kanban.ids import BoardId
from realtime.leases import Lease
from realtime.node import Node
from realtime.options import StreamOptions
from realtime.streams import DEFAULT, board_batches, dashboard_batches, one
from realtime.subscriber import Subscriber

__all__ = ["board_stream", "dashboard_stream"]


def board_stream(
    node: Node,
    board_id: BoardId,
    subscriber: Subscriber | None = None,
    options: StreamOptions = DEFAULT,
    *,
    lease: Lease | None = None,
) -> AsyncGenerator[Envelope, None]:
    """Yield the envelopes of `board_batches` one by one."""
    return _one_by_one(board_batches(node, board_id, subscriber, options, lease=lease, take=one))


def dashboard_stream(
    node: Node,
    time_range: TimeRange,
    subscriber: Subscriber | None = None,
    options: StreamOptions = DEFAULT,
    *,
    lease: Lease | None = None,
) -> AsyncGenerator[Envelope, None]:
    """Yield the envelopes of `dashboard_batches` one by one."""
    return _one_by_one(dashboard_batches(node, time_range, subscriber, options, lease=lease, take=one))


async def _one_by_one(batches: AsyncGenerator[Batch, None]) -> AsyncGenerator[Envelope, None]:
    async with aclosing(batches):
        async for batch in batches:
            for envelope in batch:
                yield envelope
            del batch, envelope
