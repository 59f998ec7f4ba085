"""One run: writers of events and commands, clients on all exits, a server that restarts, and the checks at the end."""

from __future__ import annotations

from pathlib import Path
from random import Random

import anyio

from tests.equivalence.mapping import Json
from tests.faults.commander import Commander
from tests.faults.history import query, read_log
from tests.faults.judge import Judge
from tests.faults.plan import Plan
from tests.faults.processes import ManagedServer, managed_server
from tests.faults.received_events import STATE, place_of, state_text
from tests.faults.reporter import ATTEMPTS, Reporter, begin_board
from tests.faults.steps import Steps
from tests.faults.truth import Truth
from tests.faults.wanderer import BOARD, DASHBOARD, EXITS, ONLY_STATES, Goal, Wanderer
from tests.kit.deadline import deadline
from tests.kit.raw_http import exchange
from tests.kit.write_path import are_writes_direct

__all__ = ["check_run"]

_RUN_UNITS = 30
#: The longest time that a stalled client can delay the shutdown of the server.
_FLAGS = ("--shutdown-grace-seconds", "0.3", "--log-level", "warning")
_BOARD_NOW = f"query ($id: ID!) {{ board(boardId: $id) {STATE} }}"


async def check_run(plan: Plan, folder: Path) -> None:
    """Carry out a plan; the database is a file in `folder`.

    Raises:
        AssertionError: a client, a copy or the log is not as it must be.
    """
    bounds = ("--max-queued-envelopes", str(plan.queue)) if plan.queue else ()
    # Every second run sends everything through ASGI.
    way = () if plan.seed % 2 and are_writes_direct() else ("--no-direct-writes",)
    async with managed_server(folder, *_FLAGS, *bounds, *way) as server, deadline(_RUN_UNITS):
        await _Run(plan, server).go()


class _Run:
    def __init__(self, plan: Plan, server: ManagedServer) -> None:
        self._plan = plan
        self._server = server
        self._written, self._received = Steps(), Steps()
        self._goals = {field: Goal() for field in EXITS}
        self._reporter = Reporter(server, BOARD, self._written, Random(plan.seed + 1))
        self._commander = Commander(server, BOARD, self._written, Random(plan.seed + 2))
        gaps = ("slow_consumer",) if plan.queue else ()
        self._wanderers = [
            Wanderer(server, field, self._written, self._received, self._goals[field], gaps)
            for field, _ in plan.subscribers
        ]

    async def go(self) -> None:
        await self._reporter.report(*begin_board(BOARD))
        async with anyio.create_task_group() as subscribers:
            for wanderer, (_, legs) in zip(self._wanderers, self._plan.subscribers, strict=True):
                subscribers.start_soon(wanderer.travel, legs)
            async with anyio.create_task_group() as faults:
                faults.start_soon(self._break)
                async with anyio.create_task_group() as writers:
                    writers.start_soon(self._reporter.work, self._plan.batches)
                    writers.start_soon(self._commander.work, self._plan.commands)
                self._received.over()
            await self._mark()
        await self._judge()

    async def _break(self) -> None:
        # `reached` returns at once if the count is already past.
        for fault in self._plan.faults:
            await {"written": self._written, "received": self._received}[fault.counts].reached(fault.count)
            for _ in range(fault.turns):
                await anyio.lowlevel.checkpoint()
            await self._server.restart(fault.signal)

    async def _mark(self) -> None:
        """Set the goals of the clients.

        The second event wakes clients that received the first one before they knew that it was the goal.
        """
        for number in (1, 2):
            # This event gives a card its pull request, so a state follows. Some subscriptions contain only states.
            pr = {"number": number, "url": f"https://h/goal-{number}", "state": "open", "draft": False}
            payload = {"projectId": BOARD, "attemptId": ATTEMPTS[0], "pr": pr}
            agent = {"name": "agent.registered", "payload": {"agent": "goal", "label": str(number)}}
            _, cursor = await self._reporter.report(agent, {"name": "github.pr.created", "payload": payload})
            offset, _, global_offset = place_of(cursor)
            for field, goal in self._goals.items():
                # A dashboard's subscription contains only events of the global log.
                goal.place = goal.place or (0 if field == DASHBOARD else offset + 1, 0, global_offset)

    async def _judge(self) -> None:
        address = self._server.address
        log = await read_log(address, BOARD)
        offsets = [place_of(logged.cursor)[0] for logged in log]
        assert offsets == list(range(1, len(log) + 1)), f"the log has the offsets {offsets}"
        self._reporter.check(log)
        agents = self._reporter.agents()
        judge, dashboard = Judge(Truth(log, agents)), Judge(Truth([], agents))
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
        state: Json = (await exchange(address, "GET", f"/api/v1/boards/{BOARD}")).json()["state"]  # type: ignore[index]
        self._commander.check(state, log)
        judge.compare_database(state_text(state))
        judge.compare_database(state_text((await query(address, _BOARD_NOW, id=BOARD))["board"]))
