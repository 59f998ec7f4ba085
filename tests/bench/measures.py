"""How the cases are measured: one run of each gives figures by name. Repeating, comparing, printing: see `report`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from statistics import median
from typing import TypeVar

from tests.bench.exits import NUMBER, Opening, board_socket
from tests.bench.load_client import LoadClient, load_client
from tests.bench.servers import BenchServer
from tests.bench.workload import (
    FIRST_COLUMN,
    MAX_EVENTS,
    SECOND_COLUMN,
    Poster,
    lines_body,
    new_board,
    new_boards,
    posting,
    titled,
)
from tests.kit.deadline import seconds

__all__ = ["RUN_UNITS", "FanOut", "Figures", "Idle", "ManyBoards", "MovedCard", "RenamedCard", "moment"]

_T = TypeVar("_T")
#: No run takes longer, or it fails.
RUN_UNITS = 300
_CARD = "card-000000"

#: What one run measured: name with unit → value.
Figures = dict[str, float]
#: Board → how a reader of it connects.
Opener = Callable[[str], Opening]


class Meter:
    """Time, CPU and bytes since it was made."""

    def __init__(self, server: BenchServer, client: LoadClient) -> None:
        """Start."""
        self._server, self._client = server, client
        self._cpu, self._began = server.cpu_seconds(), time.perf_counter_ns()

    async def figures(self, ended_ns: int) -> Figures:
        """Return the figures for what was delivered up to `ended_ns`."""
        cpu = (self._server.cpu_seconds() - self._cpu) * 1e6
        got = await self._client.statistics()
        timed = {"p50 ms": got.p50_us / 1e3, "p99 ms": got.p99_us / 1e3} if got.max_us >= 0 else {}
        return {
            "delivered per second": got.messages * 1e9 / (ended_ns - self._began),
            "server CPU µs per delivered": cpu / got.messages,
            **timed,
            "load client CPU µs per delivered": got.cpu_us / got.messages,
            "bytes per delivered": got.bytes / got.messages,
        }


@dataclass(frozen=True)
class FanOut:
    """Numbered log lines to all readers of one board: as fast as the server answers, or one batch each so often."""

    opener: Opener
    readers: int
    events: int
    batch: int
    pause_seconds: float = 0.0

    async def run(self, server: BenchServer) -> Figures:
        """Measure from the first POST to the last message at the last reader.

        Raises:
            MessageFault: a reader did not get every line once and in order.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            board = await new_board(poster)
            async with load_client(server.address, self.opener(board), self.readers) as client:
                meter, began = Meter(server, client), asyncio.get_running_loop().time()
                for turn, start in enumerate(range(0, self.events, self.batch)):
                    await moment(began + turn * self.pause_seconds)
                    await poster.publish(lines_body([board], range(start, min(start + self.batch, self.events))))
                figures = await meter.figures(await client.expect(self.events))
                # When one more comes next, nothing came twice behind the last one.
                await poster.publish(lines_body([board], [self.events]))
                await client.expect(self.events + 1)
        return figures


@dataclass(frozen=True)
class RenamedCard:
    """One card of many gets another title, again and again; every reader gets the whole state each time."""

    opener: Opener
    readers: int
    cards: int
    renamed: int

    async def run(self, server: BenchServer) -> Figures:
        """Measure from each PATCH to the state at the last reader.

        Raises:
            MessageFault: a reader did not get every title once and in order.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            board = await new_board(poster, self.cards)
            async with load_client(server.address, self.opener(board), self.readers) as client:
                times = []
                meter, ended = Meter(server, client), 0
                for number in range(self.renamed):
                    began = time.perf_counter_ns()
                    await poster.change_card(board, _CARD, title=titled(number))
                    ended = await client.expect(1 + number)
                    times.append((ended - began) / 1e6)
                figures = await meter.figures(ended)
        return {**figures, "ms to the last reader, median": median(times)}


@dataclass(frozen=True)
class MovedCard:
    """A card moved to and fro on a board of many."""

    opener: Opener
    #: What tells of the move, and how often it has come when a reader has its snapshot.
    mark: str
    begins_with: int
    readers: int
    cards: int
    moves: int

    async def run(self, server: BenchServer) -> Figures:
        """Measure from the PATCH to the news at the last reader.

        Raises:
            MessageFault: the server ended a stream.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            board = await new_board(poster, self.cards)
            opening = self.opener(board).counting(self.mark)
            async with load_client(server.address, opening, self.readers) as client:
                cpu, times = server.cpu_seconds(), []
                for number in range(self.moves):
                    column, began = (SECOND_COLUMN, FIRST_COLUMN)[number % 2], time.perf_counter_ns()
                    await poster.change_card(board, _CARD, columnId=column, index=0)
                    ended = await client.expect(self.begins_with + 1 + number)
                    times.append((ended - began) / 1e6)
                cpu = server.cpu_seconds() - cpu
        return {
            "ms to the last reader, median": median(times),
            "ms to the last reader, worst": max(times),
            "server CPU ms per move": cpu * 1e3 / self.moves,
        }


@dataclass(frozen=True)
class Idle:
    """Readers to whom nothing happens."""

    opener: Opener
    connections: int

    async def run(self, server: BenchServer) -> Figures:
        """Measure what the server's memory grows by.

        Raises:
            MessageFault: a reader was refused.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            board, before = await new_board(poster, cards=2), server.resident_kib()
            async with load_client(server.address, self.opener(board), self.connections):
                after = server.resident_kib()
        return {"KiB per connection": (after - before) / self.connections}


@dataclass(frozen=True)
class ManyBoards:
    """One reader and one event on each of many boards, beside as many events on one board."""

    boards: int

    async def run(self, server: BenchServer) -> Figures:
        """Measure CPU per event, for both.

        Raises:
            MessageFault: a reader did not get its event.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            prefix = await new_boards(poster, self.boards)
            names = [f"{prefix}{number:06}" for number in range(self.boards)]
            many = await self._cost(server, poster, prefix + NUMBER, [(part, [0]) for part in _batched(names)])
            board = await new_board(poster)
            one = await self._cost(server, poster, board, [([board], part) for part in _batched(range(self.boards))])
        return {
            "CPU µs per event, many boards": many,
            "CPU µs per event, one board": one,
            "many : one": many / one if one else nan,
        }

    async def _cost(
        self, server: BenchServer, poster: Poster, board: str, batches: list[tuple[Sequence[str], Sequence[int]]]
    ) -> float:
        readers = self.boards if NUMBER in board else 1
        async with load_client(server.address, board_socket(board), readers) as client:
            cpu = server.cpu_seconds()
            for boards, numbers in batches:
                await poster.publish(lines_body(boards, numbers))
            await client.expect(self.boards // readers)
            return (server.cpu_seconds() - cpu) * 1e6 / self.boards


async def moment(when: float) -> None:
    """Wait until the loop's clock shows `when`; not at all when that has passed."""
    loop = asyncio.get_running_loop()
    come = loop.create_future()
    if when > loop.time():
        loop.call_at(when, come.set_result, None)
        await come


def _batched(entries: Sequence[_T]) -> list[Sequence[_T]]:
    return [entries[start : start + MAX_EVENTS] for start in range(0, len(entries), MAX_EVENTS)]
