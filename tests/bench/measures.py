"""The measurements of the cases: one run of each returns figures by name. `runs` repeats them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from statistics import median
from typing import TypeVar

from tests.bench.checks import Figures
from tests.bench.exits import NUMBER, Opening, board_socket
from tests.bench.load_client import LoadClient, load_client
from tests.bench.servers import BOARDCAST, BenchServer
from tests.bench.workload import (
    FIRST_COLUMN,
    MAX_EVENTS,
    SECOND_COLUMN,
    Poster,
    new_board,
    new_boards,
    posting,
    stamped,
    titled,
)
from tests.kit.deadline import seconds

__all__ = ["CPU", "RATE", "RUN_UNITS", "FanOut", "Idle", "ManyBoards", "MovedCard", "Opener", "RenamedCard", "moment"]

_T = TypeVar("_T")
#: The deadline of a run.
RUN_UNITS = 600
_CARD = "card-000000"
#: Subscribers that connect and leave before memory is measured: a first subscriber loads code that later ones share.
_FIRST_SUBSCRIBERS = 100

#: Figures that several cases have, and that targets refer to.
RATE = "delivered per second"
CPU = "server CPU µs per delivered"

#: Board → how a subscriber connects to it.
Opener = Callable[[str], Opening]


class Meter:
    """Time, CPU and bytes since its creation."""

    def __init__(self, server: BenchServer, client: LoadClient) -> None:
        """Start."""
        self._server, self._client = server, client
        self._cpu, self._own_cpu = server.cpu_seconds(), time.process_time()
        self._began = time.perf_counter_ns()

    async def figures(self, ended_ns: int) -> Figures:
        """Return the figures of everything delivered until `ended_ns`."""
        cpu = (self._server.cpu_seconds() - self._cpu) * 1e6
        own_cpu = (time.process_time() - self._own_cpu) * 1e6
        got = await self._client.statistics()
        timed = {"p50 ms": got.p50_us / 1e3, "p99 ms": got.p99_us / 1e3} if got.max_us >= 0 else {}
        return {
            RATE: got.messages * 1e9 / (ended_ns - self._began),
            CPU: cpu / got.messages,
            **timed,
            "load client CPU µs per delivered": got.cpu_us / got.messages,
            "publisher CPU µs per delivered": own_cpu / got.messages,
            "bytes per delivered": got.bytes / got.messages,
        }


@dataclass(frozen=True)
class FanOut:
    """Fan-out: numbered log lines to all subscribers of one board.

    The publisher sends as fast as the server answers, or one batch per interval.
    """

    opener: Opener
    subscribers: int
    events: int
    batch: int
    pause_seconds: float = 0.0

    async def run(self, server: BenchServer) -> Figures:
        """Measure from the first POST to the last message at the last subscriber.

        Raises:
            MessageFault: a subscriber did not get every line once and in order.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            board = await new_board(poster)
            requests = [poster.lines([board], numbers) for numbers in _batched(range(self.events), self.batch)]
            one_more = poster.lines([board], [self.events])
            async with load_client(server.address, self.opener(board), self.subscribers) as client:
                await poster.connect()
                await client.expect(self.events)
                meter = Meter(server, client)
                await self._publish(poster, requests)
                figures = await meter.figures(await client.completed())
                # If exactly one more line arrives next, no line was repeated after the last one.
                await client.expect(self.events + 1)
                await poster.send(one_more)
                await client.completed()
        return figures

    async def _publish(self, poster: Poster, requests: Sequence[bytes]) -> None:
        began, began_ns = asyncio.get_running_loop().time(), time.perf_counter_ns()
        for turn, request in enumerate(requests):
            await moment(began + turn * self.pause_seconds)
            published_ns = time.perf_counter_ns()
            if self.pause_seconds:
                # The time at which the batch was due: if the server delays the publisher, the delay counts as latency.
                published_ns = min(published_ns, began_ns + round(turn * self.pause_seconds * 1e9))
            await poster.send(stamped(request, published_ns))


@dataclass(frozen=True)
class RenamedCard:
    """One of many cards gets another title repeatedly, and every subscriber gets the whole state each time."""

    opener: Opener
    subscribers: int
    cards: int
    renamed: int
    #: Subscribers that send the same document. Boardcast executes it once for all of them; other servers do so for
    #: each.
    alike: int = 1

    async def run(self, server: BenchServer) -> Figures:
        """Measure from each PATCH to the state at the last subscriber.

        Raises:
            MessageFault: a subscriber did not get every title once and in order.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            board = await new_board(poster, self.cards)
            requests = [poster.card_change(board, _CARD, title=titled(number)) for number in range(self.renamed)]
            async with load_client(server.address, self.opener(board), self.subscribers) as client:
                await poster.connect()
                meter, ended, times = Meter(server, client), 0, []
                for number, request in enumerate(requests):
                    began, ended = await _until_all_have(client, 1 + number, poster, request)
                    times.append((ended - began) / 1e6)
                figures = await meter.figures(ended)
        executed_for = self.alike if server.name == BOARDCAST else 1
        return {
            **figures,
            "server CPU µs per execution": figures[CPU] * executed_for,
            "ms to the last subscriber, median": median(times),
        }


@dataclass(frozen=True)
class MovedCard:
    """A card moved back and forth on a board with many cards."""

    opener: Opener
    #: The beginning of a message that reports the move, and how many of them a subscriber has after its snapshot.
    mark: str
    begins_with: int
    subscribers: int
    cards: int
    moves: int

    async def run(self, server: BenchServer) -> Figures:
        """Measure from the PATCH to the message at the last subscriber.

        Raises:
            MessageFault: the server ended a stream.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            board = await new_board(poster, self.cards)
            opening = self.opener(board).counting(self.mark)
            to_and_fro = [
                poster.card_change(board, _CARD, columnId=column, index=0) for column in (SECOND_COLUMN, FIRST_COLUMN)
            ]
            async with load_client(server.address, opening, self.subscribers) as client:
                await poster.connect()
                cpu, times = server.cpu_seconds(), []
                for number in range(self.moves):
                    marks = self.begins_with + 1 + number
                    began, ended = await _until_all_have(client, marks, poster, to_and_fro[number % 2])
                    times.append((ended - began) / 1e6)
                cpu = server.cpu_seconds() - cpu
                got = await client.statistics()
        return {
            "ms to the last subscriber, median": median(times),
            "ms to the last subscriber, worst": max(times),
            "server CPU ms per move": cpu * 1e3 / self.moves,
            "load client CPU ms per move": got.cpu_us / 1e3 / self.moves,
            "bytes per delivered": got.bytes / got.messages,
        }


@dataclass(frozen=True)
class Idle:
    """Idle subscribers of a new server. An older server would reuse memory that it already has."""

    opener: Opener
    connections: int

    async def run(self, server: BenchServer) -> Figures:
        """Measure the growth of the server's memory.

        Raises:
            MessageFault: a subscriber was refused.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            board = await new_board(poster, cards=2)
            async with load_client(server.address, self.opener(board), min(_FIRST_SUBSCRIBERS, self.connections)):
                pass
            before = server.resident_kib()
            async with load_client(server.address, self.opener(board), self.connections):
                after = server.resident_kib()
        return {"KiB per connection": (after - before) / self.connections}


@dataclass(frozen=True)
class ManyBoards:
    """One subscriber and one event on each of many boards, compared with as many events on one board."""

    boards: int

    async def run(self, server: BenchServer) -> Figures:
        """Measure CPU time per event in both situations: one event per request, and as many as a request can hold.

        Raises:
            MessageFault: a subscriber did not get its event.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            # The single board comes first: ten thousand subscribers that leave keep the server busy for a while.
            board, count = await new_board(poster), self.boards
            rounds = [_batched(range(count), 1), _batched(range(count, 2 * count), MAX_EVENTS)]
            requests = [[poster.lines([board], part) for part in parts] for parts in rounds]
            one = await self._costs(server, poster, board, 1, requests)
            prefix = await new_boards(poster, count)
            names = [f"{prefix}{number:06}" for number in range(count)]
            requests = [
                [poster.lines(part, [number]) for part in _batched(names, size)]
                for number, size in enumerate((1, MAX_EVENTS))
            ]
            many = await self._costs(server, poster, prefix + NUMBER, count, requests)
        figures: Figures = {}
        for how, for_many, for_one in zip(("one a request", "in batches"), many, one, strict=True):
            figures[f"CPU µs per event {how}, many boards"] = for_many
            figures[f"CPU µs per event {how}, one board"] = for_one
            figures[f"many : one, {how}"] = for_many / for_one if for_one else nan
        return figures

    async def _costs(
        self, server: BenchServer, poster: Poster, board: str, subscribers: int, rounds: Sequence[Sequence[bytes]]
    ) -> list[float]:
        """Return CPU µs per event for each group of requests, with the same subscribers."""
        costs = []
        async with load_client(server.address, board_socket(board), subscribers) as client:
            for number, requests in enumerate(rounds, start=1):
                await poster.connect()
                await client.expect(number * self.boards // subscribers)
                cpu = server.cpu_seconds()
                for request in requests:
                    await poster.send(stamped(request, time.perf_counter_ns()))
                await client.completed()
                costs.append((server.cpu_seconds() - cpu) * 1e6 / self.boards)
        return costs


async def moment(when: float) -> None:
    """Wait until the loop's clock reaches `when`. Return at once if that has passed."""
    loop = asyncio.get_running_loop()
    come = loop.create_future()
    if when > loop.time():
        loop.call_at(when, come.set_result, None)
        await come


async def _until_all_have(client: LoadClient, marks: int, poster: Poster, request: bytes) -> tuple[int, int]:
    """Send a request.

    Return its start and the time at which every subscriber had seen `marks` marks, in nanoseconds.
    """
    await client.expect(marks)
    began = time.perf_counter_ns()
    await poster.send(request)
    return began, await client.completed()


def _batched(entries: Sequence[_T], size: int) -> list[Sequence[_T]]:
    return [entries[start : start + size] for start in range(0, len(entries), size)]
