"""A reserved stream that has ended blocks no task."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import anyio
import orjson
import pytest

from realtime.fanout.counters import ConnectionMetrics
from realtime.node import Limits
from server.protocol.graphql.events import operation_block
from server.protocol.graphql.reservations import Reservation
from server.transports.graphql.operation import OperationResult
from server.transports.graphql.reserved_stream import ReservedStream
from tests.kit.deadline import deadline


async def _endless() -> AsyncGenerator[OperationResult, None]:
    while True:
        yield OperationResult({"data": None}, failed=False)


async def _two() -> AsyncGenerator[OperationResult, None]:
    for _ in range(2):
        yield OperationResult({"data": None}, failed=False)


async def test_stop_that_waits_for_room_ends_with_the_stream() -> None:
    reservation = Reservation("token", max_operations=1, is_open=True)
    stream = ReservedStream(reservation, ConnectionMetrics(), Limits(), lambda: None)
    reservation.start("1")
    async with deadline(5):
        await stream.begin("1", _endless())
        stopping = asyncio.create_task(stream.stop("1"))
        await anyio.wait_all_tasks_blocked()
        assert not stopping.done()  # its `complete` finds the queue full, and no client reads
        await stream.aclose()
        await stopping


@pytest.mark.parametrize("limits", [Limits(queued_envelopes=3), Limits(queued_bytes=1024)], ids=["count", "bytes"])
async def test_too_much_before_anybody_reads_ends_all(limits: Limits) -> None:
    reservation, forgotten = Reservation("token", max_operations=1), asyncio.Event()
    stream = ReservedStream(reservation, ConnectionMetrics(), limits, forgotten.set)
    reservation.start("1")
    async with deadline(5):
        await stream.begin("1", _endless())
        await forgotten.wait()
        await stream.aclose()
    assert reservation.operations == set()


async def test_results_before_the_stream_opened_come_first() -> None:
    reservation = Reservation("token", max_operations=2)
    stream = ReservedStream(reservation, ConnectionMetrics(), Limits(), lambda: None)
    reservation.start("1")
    async with deadline(5), aclosing(stream.blocks()) as blocks:
        await stream.begin("1", _two())
        await anyio.wait_all_tasks_blocked()
        reservation.is_open = True
        reservation.start("2")
        await stream.begin("2", _two())
        sent = [await anext(blocks) for _ in range(7)]
        await stream.aclose()
    assert [orjson.loads(block.split(b"data: ")[1])["id"] for block in sent[1:]] == ["1"] * 3 + ["2"] * 3


async def test_results_that_wait_for_an_open_stream_are_not_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []

    def encode(id: str, body: dict[str, Any]) -> bytes:
        encoded.append(id)
        return operation_block(id, body)

    monkeypatch.setattr("server.transports.graphql.reserved_stream.operation_block", encode)
    reservation = Reservation("token", max_operations=20, is_open=True)
    stream = ReservedStream(reservation, ConnectionMetrics(), Limits(), lambda: None)
    async with deadline(5):
        for number in range(20):
            reservation.start(str(number))
            await stream.begin(str(number), _endless())
        await anyio.wait_all_tasks_blocked()
        # One block fills the queue, and one waits for room.
        assert len(encoded) == 2
        await stream.aclose()
    assert reservation.operations == set()
