"""The dashboard over very many attempts: the cost of an overview, and the latency of other requests meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median, quantiles
from typing import Any

from realtime.dashboard.rows import AgentRow, AttemptLogRow, AttemptRow, ProjectRow
from realtime.dashboard.time_range import TimeRangePreset
from realtime.kanban.ids import AttemptId, BoardId, CardId, ColumnId
from realtime.kanban.models import ACTIVE_STATUSES, AttemptStatus
from tests.bench.checks import Figures
from tests.bench.measures import RUN_UNITS, moment
from tests.bench.servers import BenchServer
from tests.bench.workload import Poster, posting
from tests.contract.stored_tables import put
from tests.kit.deadline import seconds
from tests.kit.raw_socket import RawSocket, open_socket
from tests.kit.sse_reader import open_stream
from tests.unit.realtime.dashboard.counting import CardOnBoard, ColumnOfBoard, Tables

__all__ = ["Overviews"]

_BOARDS, _CARDS, _AGENTS = 50, 10_000, 4
_DAYS = 60
_COLUMNS = ("Backlog", "In Progress", "Review", "Done")
#: How many attempts end in each status.
_WEIGHTS = {"queued": 1, "running": 2, "stopping": 0.1, "succeeded": 60, "failed": 30, "stopped": 7}
_LINES = 5
_PING_SECONDS = 0.001


@dataclass(frozen=True)
class Overviews:
    """Overviews made one after the other, of attempts of the last two months."""

    attempts: int
    looks: int

    async def run(self, server: BenchServer) -> Figures:
        """Measure from the request to the answer, and to a new subscriber's first overview."""
        if server.database is None:
            raise ValueError("expected a server with a database")
        seeded = server.database.with_suffix(f".{self.attempts}")
        if not seeded.exists():
            put(f"sqlite:///{server.database}", _tables(self.attempts))
            seeded.touch()
        async with asyncio.timeout(seconds(RUN_UNITS)), posting(server) as poster:
            cpu = server.cpu_seconds()
            week = await self._times(poster, TimeRangePreset.LAST_7D)
            cpu = server.cpu_seconds() - cpu
            ever = await self._times(poster, TimeRangePreset.ALL_TIME)
            quiet = await _pongs(server, moment(asyncio.get_running_loop().time() + sum(week) / 1e3))
            busy = await _pongs(server, self._times(poster, TimeRangePreset.LAST_7D))
            first = [await _first_overview(server) for _ in range(self.looks // 4)]
        return {
            "ms per overview, last 7 days": median(week),
            "ms per overview, all time": median(ever),
            "server CPU ms, last 7 days": cpu * 1e3 / self.looks,
            "ms to a new subscriber's first": median(first),
            "ms to a pong meanwhile, p90": quantiles(busy, n=10)[-1],
            "ms to a pong otherwise, p90": quantiles(quiet, n=10)[-1],
            "ms to a pong meanwhile, worst": max(busy),
            "ms to a pong otherwise, worst": max(quiet),
        }

    async def _times(self, poster: Poster, preset: TimeRangePreset) -> list[float]:
        times, request = [], poster.request("GET", f"/api/v1/dashboard?timeRangePreset={preset}")
        await poster.connect()
        for _ in range(self.looks):
            began = time.perf_counter()
            await poster.send(request)
            times.append((time.perf_counter() - began) * 1e3)
        return times


async def _first_overview(server: BenchServer) -> float:
    """Return the milliseconds from a subscriber's request to its first overview."""
    began = time.perf_counter()
    async with open_stream(server.address, "/api/v1/sse") as stream:
        while (await stream.event())[0] != "dashboard_overview":
            pass
        return (time.perf_counter() - began) * 1e3


async def _pongs(server: BenchServer, work: Coroutine[Any, Any, object]) -> list[float]:
    """Return the milliseconds that a board's subscriber waited for each pong while `work` ran; at least two values."""
    waits: list[float] = []
    loop = asyncio.get_running_loop()
    async with open_socket(server.address, f"/api/v1/ws?boardId={_board(0)}") as socket:
        await _next(socket, '{"type":"state"')
        working = asyncio.create_task(work)
        while not working.done() or len(waits) < 2:
            began = time.perf_counter()  # the loop's own clock has steps of a millisecond
            await socket.send_json({"type": "ping"})
            await _next(socket, '{"type":"pong"')
            waits.append((time.perf_counter() - began) * 1e3)
            await moment(loop.time() + _PING_SECONDS)
        await working
    return waits


async def _next(socket: RawSocket, start: str) -> None:
    """Read up to the message that begins like this."""
    while not (await socket.receive()).payload.startswith(start.encode()):
        pass


def _board(number: int) -> BoardId:
    return BoardId(f"board-{number:08}-0000-0000-0000-000000000000")


def _tables(attempts: int) -> Tables:
    random, now = Random(1), datetime.now(UTC)
    boards = [_board(number) for number in range(_BOARDS)]
    cards = [
        CardOnBoard(CardId(f"card-{number:08}-0000-0000-0000-000000000000"), boards[number % _BOARDS], column, "Card")
        for number in range(_CARDS)
        for column in [ColumnId(random.choice(_COLUMNS))]
    ]
    rows = [_attempt(number, random.choice(cards), now, random) for number in range(attempts)]
    return Tables(
        projects=[ProjectRow(board, "Bench", f"/r/{board}", now) for board in boards],
        columns=[ColumnOfBoard(ColumnId(title), board, title) for board in boards for title in _COLUMNS],
        cards=cards,
        attempts=rows,
        logs=[
            AttemptLogRow(*row.key, row.created_at, "error" if number == 0 else "info", f"Line {number} of {row.id}")
            for row in rows
            if row.status is AttemptStatus.FAILED
            for number in range(_LINES)
        ],
        agents=[AgentRow(f"AGENT-{number}", f"Agent {number}") for number in range(_AGENTS - 1)],
    )


def _attempt(number: int, card: CardOnBoard, now: datetime, random: Random) -> AttemptRow:
    (status,) = random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
    created = now - timedelta(days=_DAYS * random.random())
    ended = None if status in ACTIVE_STATUSES else created + timedelta(minutes=random.randrange(60))
    id = AttemptId(f"att-{number:08}-0000-0000-0000-000000000000")
    agent = f"AGENT-{random.randrange(_AGENTS)}"
    board, known = card.project_id, AttemptStatus(status)
    return AttemptRow(id, board, card.id, agent, known, created, ended or created, created, ended, number)
