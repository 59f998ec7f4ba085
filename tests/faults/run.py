"""One run: writers of events and of commands, readers on all exits, a server that comes and goes; then the judge."""

from __future__ import annotations

from pathlib import Path
from random import Random

import anyio

from tests.equivalence.mapping import Json
from tests.faults.commander import Commander
from tests.faults.history import query, read_log
from tests.faults.judge import Judge
from tests.faults.plan import Plan
from tests.faults.processes import Life, living
from tests.faults.reporter import ATTEMPTS, Reporter, begin_board
from tests.faults.steps import Steps
from tests.faults.telling import STATE, place_of, state_said
from tests.faults.truth import Truth
from tests.faults.wanderer import BOARD, Goal, Wanderer
from tests.kit.deadline import deadline
from tests.kit.raw_http import exchange

__all__ = ["run"]

_RUN_UNITS = 30
#: A stalled reader holds a server that stops, no longer than this.
_FLAGS = ("--shutdown-grace-seconds", "0.3", "--log-level", "warning")
_BOARD_NOW = f"query ($id: ID!) {{ board(id: $id) {STATE} }}"


async def run(plan: Plan, folder: Path) -> None:
    """Carry out a plan; the database is a file in `folder`.

    Raises:
        AssertionError: a reader, a copy or the log is not as it must be.
    """
    async with living(folder, *_FLAGS) as life, deadline(_RUN_UNITS):
        await _Run(plan, life).go()


class _Run:
    def __init__(self, plan: Plan, life: Life) -> None:
        self._plan = plan
        self._life = life
        self._written, self._heard = Steps(), Steps()
        self._goal = Goal()
        self._reporter = Reporter(life, BOARD, self._written, Random(plan.seed + 1))
        self._commander = Commander(life, BOARD, self._written, Random(plan.seed + 2))
        self._wanderers = [Wanderer(life, field, self._written, self._heard, self._goal) for field, _ in plan.readers]

    async def go(self) -> None:
        await self._reporter.report(*begin_board(BOARD))
        async with anyio.create_task_group() as readers:
            for wanderer, (_, legs) in zip(self._wanderers, self._plan.readers, strict=True):
                readers.start_soon(wanderer.travel, legs)
            async with anyio.create_task_group() as faults:
                faults.start_soon(self._break)
                async with anyio.create_task_group() as writers:
                    writers.start_soon(self._reporter.work, self._plan.batches)
                    writers.start_soon(self._commander.work, self._plan.commands)
                self._heard.over()
            await self._mark()
        await self._judge()

    async def _break(self) -> None:
        # A count that is past already counts as reached.
        for fault in self._plan.faults:
            await {"written": self._written, "heard": self._heard}[fault.counts].reached(fault.count)
            for _ in range(fault.turns):
                await anyio.lowlevel.checkpoint()
            await self._life.restart(fault.signal)

    async def _mark(self) -> None:
        """Tell the readers where they have to arrive.

        The second event wakes those who had the first before they knew that it was the one.
        """
        for number in (1, 2):
            # It gives a card its address: that is a state too, for those who are told of nothing else.
            pr = {
                "number": number,
                "url": f"https://github.com/o/r/pull/goal-{number}",
                "state": "open",
                "draft": False,
            }
            payload = {"projectId": BOARD, "attemptId": ATTEMPTS[0], "pr": pr}
            (cursor,) = await self._reporter.report({"name": "github.pr.created", "payload": payload})
            self._goal.place = self._goal.place or place_of(cursor)

    async def _judge(self) -> None:
        address = self._life.address
        log = await read_log(address, BOARD)
        offsets = [place_of(logged.cursor)[0] for logged in log]
        assert offsets == list(range(1, len(log) + 1)), f"the log has the offsets {offsets}"
        self._reporter.check(log)
        judge = Judge(Truth(log, self._reporter.agents()))
        assert self._goal.place is not None
        for n, (wanderer, (field, legs)) in enumerate(zip(self._wanderers, self._plan.readers, strict=True)):
            name, only_states = f"reader {n} of {field} ({legs[-1].exit})", field != "boardEvents"
            judge.hear(name, wanderer.accounts.all, self._goal.place, only_states=only_states)
        state: Json = (await exchange(address, "GET", f"/api/v1/boards/{BOARD}")).json()["state"]  # type: ignore[index]
        self._commander.check(state, log)
        judge.compare_database(state_said(state))
        judge.compare_database(state_said((await query(address, _BOARD_NOW, id=BOARD))["board"]))
