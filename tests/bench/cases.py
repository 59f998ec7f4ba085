"""The cases: one run of each gives figures by name. Repeating, comparing and printing are left to `report`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from tests.bench.readers import Audience, EventStreamReader, Reader, SocketReader
from tests.bench.servers import BenchServer
from tests.bench.workload import (
    EVENTS_PATH,
    STRAY_LINE,
    card_body,
    card_marks,
    line_marks,
    lines_body,
    new_board,
    posting,
)
from tests.kit.deadline import seconds

__all__ = ["CASES", "Case", "FanOut", "Figures", "StateAfterCard"]

#: No run takes longer, or it fails.
_RUN_UNITS = 120

#: What one run measured: name with unit → value.
Figures = dict[str, float]


class Meter:
    """Time, CPU and bytes since it was made."""

    def __init__(self, server: BenchServer, audience: Audience) -> None:
        """Start."""
        self._server, self._audience = server, audience
        self._bytes = audience.bytes_received
        self._client, self._cpu = time.process_time(), server.cpu_seconds()
        self._began = time.perf_counter()

    def per_message(self, messages: int) -> Figures:
        """Return the figures for `messages` that were delivered meanwhile."""
        elapsed = time.perf_counter() - self._began
        return {
            "delivered per second": messages / elapsed,
            "server CPU µs per delivered": (self._server.cpu_seconds() - self._cpu) * 1e6 / messages,
            "load client CPU µs per delivered": (time.process_time() - self._client) * 1e6 / messages,
            "bytes per delivered": (self._audience.bytes_received - self._bytes) / messages,
        }


@dataclass(frozen=True)
class FanOut:
    """Numbered log lines to all readers of one board, posted as fast as the server answers."""

    kind: type[Reader]
    readers: int
    events: int
    batch: int

    async def run(self, server: BenchServer) -> Figures:
        """Measure from the first POST to the last message at the last reader.

        Raises:
            MessageFault: a reader did not get every line once and in order.
        """
        async with asyncio.timeout(seconds(_RUN_UNITS)), posting(server) as poster:
            board = await new_board(poster)
            # One line more than is measured: when it comes next, nothing came twice behind the last one.
            marks = line_marks(self.kind, self.events + 1)
            bodies = [lines_body(board, numbers) for numbers in self._batches()]
            with _audience(server, board, marks, STRAY_LINE) as audience:
                await audience.seat(self.kind, self.readers)
                meter, complete = Meter(server, audience), audience.expect(1 + self.events)
                for body in bodies:
                    await poster.post(EVENTS_PATH, body)
                await complete
                figures = meter.per_message(self.readers * self.events)
                complete = audience.expect(2 + self.events)
                await poster.post(EVENTS_PATH, lines_body(board, [self.events]))
                await complete
        return figures

    def _batches(self) -> list[range]:
        starts = range(0, self.events, self.batch)
        return [range(start, min(start + self.batch, self.events)) for start in starts]


@dataclass(frozen=True)
class StateAfterCard:
    """Cards created one by one on a board that has many; every reader gets the whole state each time."""

    readers: int
    cards: int
    created: int

    async def run(self, server: BenchServer) -> Figures:
        """Measure from the POST of a card to the state with it at the last reader.

        Raises:
            MessageFault: the server ended a stream.
        """
        async with asyncio.timeout(seconds(_RUN_UNITS)), posting(server) as poster:
            board = await new_board(poster, self.cards)
            with _audience(server, board, card_marks(SocketReader, self.created), None) as audience:
                await audience.seat(SocketReader, self.readers)
                cpu, times = server.cpu_seconds(), []
                for number in range(self.created):
                    began, complete = time.perf_counter(), audience.expect(2 + number)
                    await poster.post(f"/api/v1/boards/{board}/cards", card_body(number))
                    await complete
                    times.append((time.perf_counter() - began) * 1e3)
                cpu = server.cpu_seconds() - cpu
        return {
            "ms to the last reader, median": median(times),
            "ms to the last reader, worst": max(times),
            "server CPU ms per card": cpu * 1e3 / self.created,
        }


@dataclass(frozen=True)
class Case:
    """A row of tables: what is run and whom beside."""

    title: str
    run: Callable[[BenchServer], Awaitable[Figures]]
    has_peer: bool


CASES = {
    "websocket": Case(
        "Raw WebSocket: 200 readers, 1,000 attempt_log of 200 bytes in batches of 100",
        FanOut(SocketReader, readers=200, events=1000, batch=100).run,
        has_peer=True,
    ),
    "sse": Case(
        "Raw SSE: 200 readers, 1,000 attempt_log in batches of 100",
        FanOut(EventStreamReader, readers=200, events=1000, batch=100).run,
        has_peer=True,
    ),
    "state": Case(
        "A card created on a board of 200 cards (10 in turn), 100 raw WebSocket readers",
        StateAfterCard(readers=100, cards=200, created=10).run,
        has_peer=False,
    ),
    "ingest": Case(
        "Ingest: 10,000 attempt_log in batches of 100, stored and delivered to 1 raw WebSocket reader",
        FanOut(SocketReader, readers=1, events=10_000, batch=100).run,
        has_peer=False,
    ),
}


@contextmanager
def _audience(server: BenchServer, board: str, marks: list[bytes], stray: bytes | None) -> Iterator[Audience]:
    audience = Audience(server.address, board, marks, stray)
    try:
        yield audience
    finally:
        audience.dismiss()
