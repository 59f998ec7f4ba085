"""The measurement of single writes: connections that send a request when the one before it is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.bench.checks import Figures
from tests.bench.measures import RUN_UNITS
from tests.bench.servers import BenchServer
from tests.bench.workload import Poster, new_boards, posting, titled
from tests.kit.deadline import seconds

__all__ = [
    "REQUESTS",
    "REQUEST_CPU",
    "MakeRequest",
    "Writes",
    "card_mutations",
    "card_titles",
    "health",
    "line_batches",
    "log_lines",
]

REQUESTS = "requests per second"
REQUEST_CPU = "server CPU µs per request"
_CARD = "card-000000"
#: Of each connection, before the clock starts: one unmeasured request for what is done once for a connection.
_FIRST = 1

#: Makes the request of a number, for the board of a connection.
MakeRequest = Callable[[Poster, str, int], bytes]


def log_lines(poster: Poster, board: str, number: int) -> bytes:
    """Return the request that stores one event, a log line."""
    return poster.lines([board], [number])


def card_titles(poster: Poster, board: str, number: int) -> bytes:
    """Return the request that gives a card another title."""
    return poster.card_change(board, _CARD, title=titled(number))


def card_mutations(poster: Poster, board: str, number: int) -> bytes:
    """Return the mutation that gives a card another title."""
    return poster.mutation(board, _CARD, titled(number))


def line_batches(size: int) -> MakeRequest:
    """Return a function that makes requests with so many log lines each."""
    return lambda poster, board, number: poster.lines([board], range(number * size, (number + 1) * size))


def health(poster: Poster, board: str, number: int) -> bytes:
    """Return a request that changes and reads nothing."""
    return poster.request("GET", "/api/v1/healthz")


@dataclass(frozen=True)
class Writes:
    """Small requests, over some connections at once; nobody watches the boards."""

    make: MakeRequest
    connections: int
    #: Requests of each connection.
    each: int
    #: Boards; the connections are distributed over them. 0 = the requests need none.
    boards: int
    #: Cards of a board; 0 for boards whose cards do not matter.
    cards: int = 0
    #: Bytes that each answer has; another answer is a refusal. A refusal of GraphQL has the status 200, too.
    mark: bytes = b""

    async def run(self, server: BenchServer) -> Figures:
        """Measure from the first request to the last answer.

        Raises:
            RuntimeError: a request was refused.
        """
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            boards = await self._boards(poster)
            clients = [
                _Client(self._requests(poster, boards[place % len(boards)]), self.mark)
                for place in range(self.connections)
            ]
            loop = asyncio.get_running_loop()
            for client in clients:
                await loop.create_connection(lambda client=client: client, *server.address)  # type: ignore[misc]
                await client.send(_FIRST)
            cpu, own_cpu, began = server.cpu_seconds(), time.process_time(), time.perf_counter()
            await asyncio.gather(*(client.send(self.each) for client in clients))
            took = time.perf_counter() - began
            cpu, own_cpu = server.cpu_seconds() - cpu, time.process_time() - own_cpu
            for client in clients:
                client.close()
        waits = sorted(wait for client in clients for wait in client.waits[_FIRST:])
        return {
            REQUESTS: len(waits) / took,
            REQUEST_CPU: cpu * 1e6 / len(waits),
            "p50 ms": waits[len(waits) // 2] * 1e3,
            "p99 ms": waits[len(waits) * 99 // 100] * 1e3,
            "client CPU µs per request": own_cpu * 1e6 / len(waits),
        }

    async def _boards(self, poster: Poster) -> list[str]:
        if not self.boards:
            return [""]
        prefix = await new_boards(poster, self.boards)
        boards = [f"{prefix}{number:06}" for number in range(self.boards)]
        for board in boards if self.cards else ():
            await poster.send(poster.cards(board, self.cards))
        return boards

    def _requests(self, poster: Poster, board: str) -> list[bytes]:
        return [self.make(poster, board, number) for number in range(_FIRST + self.each)]


class _Client(asyncio.Protocol):
    """One connection. It reads just as much of an answer as is needed to find its end."""

    def __init__(self, requests: list[bytes], mark: bytes) -> None:
        self._requests: Iterator[bytes] = iter(requests)
        self._mark = mark
        self._left = 0
        self._buffer = b""
        #: Seconds from each request to its answer.
        self.waits: list[float] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # it is one of TCP
        """Keep the connection (asyncio's hook)."""
        self._transport = transport

    async def send(self, count: int) -> None:
        """Send the next requests one after the other; return when all are answered.

        Raises:
            RuntimeError: one was refused, or the connection ended.
        """
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._left = count
        self._next()
        await self._done

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Read an answer (asyncio's hook)."""
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        if not end or len(body) < _length_of(head):
            return
        self.waits.append(time.perf_counter() - self._sent)
        self._buffer = b""
        self._left -= 1
        if not head.startswith(b"HTTP/1.1 2") or self._mark not in body:
            self._fail(f"expected the server to accept the request, got {head[:40]!r} {body[:500]!r}")
        elif self._left:
            self._next()
        else:
            self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail if a request waits (asyncio's hook)."""
        if self._left:
            self._fail("expected an answer, got the end of the connection")

    def _next(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))

    def _fail(self, sentence: str) -> None:
        if not self._done.done():
            self._done.set_exception(RuntimeError(sentence))


def _length_of(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0])
