"""A reserved stream that is over keeps nobody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import anyio

from server.protocol.graphql_reservations import Reservation
from server.transports.graphql_operation import OperationResult
from server.transports.graphql_reserved_stream import ReservedStream
from tests.kit.deadline import deadline


async def _endless() -> AsyncGenerator[OperationResult, None]:
    while True:
        yield OperationResult({"data": None}, failed=False)


async def test_stop_that_waits_for_room_ends_with_the_stream() -> None:
    reservation = Reservation("token", max_operations=1, is_open=True)
    stream = ReservedStream(reservation, 1, lambda: None)
    reservation.start("1")
    async with deadline(5):
        await stream.begin("1", _endless())
        stopping = asyncio.create_task(stream.stop("1"))
        await anyio.wait_all_tasks_blocked()
        assert not stopping.done()  # its `complete` finds the queue full, and nobody reads
        await stream.aclose()
        await stopping
