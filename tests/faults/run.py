"""One run: writers of events and commands, clients on all exits, servers with faults, and the checks at the end."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import anyio

from tests.equivalence.mapping import Json
from tests.faults.commander import KEYED, Commander
from tests.faults.history import query, read_log
from tests.faults.judge import Judge
from tests.faults.plan import Fault, Plan
from tests.faults.processes import ManagedServer, managed_server
from tests.faults.received_events import STATE, Place, place_of, state_text
from tests.faults.reporter import Reporter, begin_board
from tests.faults.steps import Steps
from tests.faults.truth import Truth
from tests.faults.wanderer import BOARD, DASHBOARD, EXITS, ONLY_STATES, Goal, Wanderer
from tests.kit.deadline import deadline
from tests.kit.raw_http import exchange
from tests.kit.write_path import are_writes_direct

__all__ = ["GRACE", "RESTARTS", "Run", "Site", "check_run"]

_RUN_UNITS = 30
#: After this time without a fault, every client must be current.
_CURRENT_UNITS = 5
#: The longest time that a stalled client can delay the shutdown of the server.
GRACE = ("--shutdown-grace-seconds", "0.3", "--log-level", "warning")
#: Kind of fault → the signal that ends the server before it starts again.
RESTARTS = {"drain": signal.SIGTERM, "kill": signal.SIGKILL}
_BOARD_NOW = f"query ($id: ID!) {{ board(boardId: $id) {STATE} }}"


@dataclass(frozen=True)
class Site:
    """The servers of a run, all on one database, and the faults that can happen to them."""

    servers: Sequence[ManagedServer]
    #: Carries out a fault. The block begins when the fault is over, and ends when all clients are current.
    fault: Callable[[Fault, Steps], AbstractAsyncContextManager[None]]
    board_id: str = BOARD
    #: The probability that a command has a key, see `Commander`.
    keyed: float = KEYED


async def check_run(plan: Plan, folder: Path) -> None:
    """Carry out a plan on one server; the database is a file in `folder`.

    Raises:
        AssertionError: a client, a copy or the log is not as it must be.
    """
    bounds = ("--max-queued-envelopes", str(plan.queue)) if plan.queue else ()
    # Every second run sends everything through ASGI.
    way = () if plan.seed % 2 and are_writes_direct() else ("--no-direct-writes",)
    async with managed_server(folder, *GRACE, *bounds, *way) as server, deadline(_RUN_UNITS):

        @asynccontextmanager
        async def restarted(fault: Fault, written: Steps) -> AsyncIterator[None]:
            await server.restart(RESTARTS[fault.kind])
            yield

        await Run(plan, Site([server], restarted)).go()


class Run:
    """One board with its writers and clients, from the first event to the checks."""

    def __init__(self, plan: Plan, site: Site) -> None:
        """Carry out `plan` on a board that does not exist yet."""
        self._plan = plan
        self._site = site
        self._written, self._received = Steps(), Steps()
        self._goals = {field: Goal() for field in EXITS}
        servers, board_id = site.servers, site.board_id
        self._reporter = Reporter(servers, board_id, self._written, Random(plan.seed + 1))
        self._commander = Commander(servers, board_id, self._written, Random(plan.seed + 2), site.keyed)
        gaps = ("slow_consumer",) if plan.queue else ()
        self._wanderers = [
            Wanderer(servers, field, self._written, self._received, self._goals[field], gaps, board_id)
            for field, _ in plan.subscribers
        ]

    async def go(self) -> None:
        """Write, read and break until the plan is done; then check everything.

        Raises:
            AssertionError: a client, a copy or the log is not as it must be.
        """
        await self._reporter.report(*begin_board(self._site.board_id))
        async with anyio.create_task_group() as subscribers:
            for wanderer, (_, legs) in zip(self._wanderers, self._plan.subscribers, strict=True):
                subscribers.start_soon(wanderer.travel, legs)
            async with anyio.create_task_group() as faults:
                faults.start_soon(self._break)
                async with anyio.create_task_group() as writers:
                    writers.start_soon(self._reporter.work, self._plan.batches)
                    writers.start_soon(self._commander.work, self._plan.commands)
                self._written.over()
                self._received.over()
            place = await self._reporter.mark()
            for field, goal in self._goals.items():
                goal.place = _in_stream(place, field)
            # This mark wakes clients that received the first one before they knew that it was the goal.
            await self._reporter.mark()
        await self._judge()

    async def _break(self) -> None:
        # `reached` returns at once if the count is already past.
        for fault in self._plan.faults:
            await {"written": self._written, "received": self._received}[fault.counts].reached(fault.count)
            for _ in range(fault.turns):
                await anyio.lowlevel.checkpoint()
            async with self._site.fault(fault, self._written):
                await self._check_current(fault)

    async def _check_current(self, fault: Fault) -> None:
        """Report one more event: all clients that do not stall must have it in time."""
        place: Place | None = None
        try:
            async with deadline(_CURRENT_UNITS):
                place = await self._reporter.mark()
                for wanderer in self._wanderers:
                    await wanderer.reaches(_in_stream(place, wanderer.field))
        except TimeoutError as late:
            at = [(one.field, one.transcript.cursor) for one in self._wanderers]
            raise AssertionError(f"not current after {fault}: the mark is at {place or 'no place'}: {at}") from late

    async def _judge(self) -> None:
        servers, board_id = self._site.servers, self._site.board_id
        log = await read_log(servers[0].address, board_id)
        offsets = [place_of(logged.cursor)[0] for logged in log]
        assert offsets == list(range(1, len(log) + 1)), f"the log has the offsets {offsets}"
        self._reporter.check(log)
        agents = self._reporter.agents()
        judge, dashboard = Judge(Truth(log, agents), has_one_order=len(servers) == 1), Judge(Truth([], agents))
        for n, (wanderer, (field, legs)) in enumerate(zip(self._wanderers, self._plan.subscribers, strict=True)):
            name, end = f"subscriber {n} of {field} ({legs[-1].exit})", self._goals[field].place
            assert end is not None
            (dashboard if field == DASHBOARD else judge).check(
                name,
                wanderer.transcript.segments,
                end,
                only_states=field in ONLY_STATES,
                reports_gaps=field != "boardState",
            )
        for server in servers:
            answer = await exchange(server.address, "GET", f"/api/v1/boards/{board_id}")
            state: Json = answer.json()["state"]  # type: ignore[index]
            self._commander.check(state, log)
            judge.compare_database(state_text(state))
            judge.compare_database(state_text((await query(server.address, _BOARD_NOW, id=board_id))["board"]))


def _in_stream(place: Place, field: str) -> Place:
    """Return a place of the board as the place in the stream of a subscription."""
    # A dashboard's subscription contains only events of the global log.
    return (0, 0, place[2]) if field == DASHBOARD else place
