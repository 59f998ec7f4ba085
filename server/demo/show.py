"""Carries out the demo's scripts: one task, owned by a context manager, that continues until it is stopped.

Steps go through the service like everybody's. Refusals are expected, because people may change a demo board meanwhile.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import NoReturn

from realtime.errors import Refused, StoreUnavailable
from realtime.kanban.board import Board
from realtime.kanban.incoming import parse_incoming
from realtime.service import SERVER, Service
from server.demo.catalogue import PROJECTS, DemoProject
from server.demo.scene import Scene, Script, Step
from server.demo.script import play
from server.demo.seeding import seed_events

__all__ = ["running_demo"]

#: Seconds of the pause after a fault: the first, doubled with each further fault in a row, up to the last.
FIRST_PAUSE_SECONDS = 0.5
LAST_PAUSE_SECONDS = 60.0
#: After this many steps without a fault, the next fault counts as the first again.
GOOD_STEPS = 50
#: Seconds until the demo looks again for a missing board, at the usual pace.
LOOK_SECONDS = 30.0
#: Seconds by which the second board starts later, so that both boards do not move at the same time.
LAG_SECONDS = 0.6

log = logging.getLogger(__name__)


@asynccontextmanager
async def running_demo(service: Service, seed: int, pace: float) -> AsyncIterator[None]:
    """Seed an empty database, then run the demo for the length of the block.

    In a database with projects, the demo works only on those of an earlier demo. If there are none, it waits.
    `seed` determines all random choices; `pace` multiplies the usual speed.

    Raises:
        StoreUnavailable: on entry, the database did not answer; nothing runs.
    """
    present = {project.id for project in await service.projects.all(SERVER)}
    if not present:
        await service.events.ingest(SERVER, parse_incoming(seed_events(seed, service.clock())))
    elif present.isdisjoint(project.id for project in PROJECTS):
        log.info("the database has projects and none of the demo's; the demo leaves them alone")
    task = asyncio.create_task(_work(service, seed, pace), name="demo")
    try:
        yield
    finally:
        task.cancel()
        # `wait` and not `await task`: so a cancellation that is raised here is that of the caller.
        await asyncio.wait([task])


async def _work(service: Service, seed: int, pace: float) -> NoReturn:
    faults = 0
    while True:
        show = _Show(service, seed, pace)
        try:
            await show.run()
        except Exception as fault:
            # A fault after many good steps counts as the first.
            faults = 1 if show.steps > GOOD_STEPS else faults + 1
            pause = min(LAST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(faults - 1, 10))
            # The store's message has the reason; any other fault needs its traceback.
            inside = None if isinstance(fault, StoreUnavailable) else fault
            log.error("the demo stumbled and begins anew in %g s", pause, exc_info=inside)
            await asyncio.sleep(pause)


class _Show:
    """The scripts of all demo boards; their steps run in the order of their times."""

    def __init__(self, service: Service, seed: int, pace: float) -> None:
        self._service = service
        self._seed = seed
        self._pace = pace
        #: Number of steps that were carried out.
        self.steps = 0

    async def run(self) -> NoReturn:
        """Play the scripts of all boards in turns until it is cancelled."""
        boards = [_Board(self._service, project, self._seed) for project in PROJECTS]
        # Seconds of the scripts, not of the clock: the order of the steps does not depend on the load of the machine.
        due = [(n * LAG_SECONDS, n, board) for n, board in enumerate(boards)]
        now = 0.0
        while True:
            at, n, board = heapq.heappop(due)
            await asyncio.sleep((at - now) / self._pace)
            now = at
            step = await board.next_step()
            if step:
                await board.perform(step)
                self.steps += 1
            heapq.heappush(due, (at + (step.seconds if step else LOOK_SECONDS), n, board))


class _Board:
    """One demo board and its script."""

    def __init__(self, service: Service, project: DemoProject, seed: int) -> None:
        self._service = service
        self._project = project
        self._seed = seed
        self._script: Script[NoReturn] | None = None

    async def next_step(self) -> Step | None:
        """Return the next step, None if the board does not exist."""
        found = await self._present()
        if found is None:
            self._script = None
            return None
        board, offset = found
        attempts = await self._service.attempts.of_board(SERVER, self._project.id)
        scene = Scene(board, attempts, self._service.clock())
        if self._script is None:
            # With the offset, a later run has other random numbers; else it would repeat the ids of the first run.
            rng = Random(f"{self._seed}/{self._project.id}/{offset}")
            self._script = play(rng, self._project, scene)
            return next(self._script)
        return self._script.send(scene)

    async def _present(self) -> tuple[Board, int] | None:
        """Return a copy of the board, and its offset in the log."""
        found = await self._service.boards.current(SERVER, self._project.id)
        return (found.board.copy(), found.offset) if found else None

    async def perform(self, step: Step) -> None:
        """Carry out a step; a refused step is skipped."""
        events = parse_incoming(list(step.events)) if step.events else []
        try:
            if step.commands:
                await self._service.boards.execute(SERVER, self._project.id, *step.commands)
            if events:
                await self._service.events.ingest(SERVER, events)
        except Refused as refusal:
            log.debug("refused on %s: %s", self._project.id, refusal)
