"""The write units that wait. Those that wait while others are written are carried out together, as a group.

A group shares a visit to the database thread, a transaction and a fan-out:
docs/decisions/0057-waiting-units-share-a-transaction.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any

from realtime.errors import StoreUnavailable
from realtime.fanout.counters import Counters
from realtime.writing.write_group import Result, Unit

__all__ = ["WriteQueue"]

log = logging.getLogger(__name__)

#: Most light units that may overtake a heavy unit.
MAX_OVERTAKING = 32
#: Most commands and events of one group. A group of single events of this size takes some ten milliseconds.
MAX_GROUP_PARTS = 128
#: Most units that wait. The limits of clients keep far below it; it is the bound when all of them write at once.
MAX_WAITING = 4096

#: Carries out the units of a group, in order; returns the result of each, or its error. It raises nothing.
CarryOut = Callable[[Sequence[Unit[Any]]], Awaitable[Sequence[Result | Exception]]]
#: A unit, its answer, and when it came (`time.monotonic`).
_Waiting = tuple[Unit[Any], asyncio.Future[Any], float]


class WriteQueue:
    """Carries out units in the order of the requests, with one exception.

    A heavy unit takes a hundred milliseconds, and a light unit behind several of them would wait for all. So a light
    unit may overtake, unless a unit before it writes to one of its channels: within a channel, the order of the
    clients' requests holds. Each heavy unit is overtaken by at most `MAX_OVERTAKING` light units. It has a group of its
    own.
    """

    def __init__(self, carry_out: CarryOut, counters: Counters | None = None) -> None:
        """Start without units; `counters` get the times and the numbers of units."""
        self._carry_out = carry_out
        self._counters = counters if counters is not None else Counters()
        self._waiting: list[_Waiting] = []
        #: Number of units that have overtaken the first waiting one.
        self._overtaking = 0
        self._task: asyncio.Task[None] | None = None

    def put(self, unit: Unit[Any]) -> asyncio.Future[Any]:
        """Return the future result of a unit. It is carried out even if its caller stops waiting.

        Raises:
            StoreUnavailable: `MAX_WAITING` units wait already; the unit is not carried out.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise StoreUnavailable(f"{MAX_WAITING} requests wait to be written already")
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, answer, monotonic()))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="write queue")
        return answer

    async def aclose(self) -> None:
        """Wait until all units are carried out."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        group: list[_Waiting] = []
        try:
            while self._waiting:
                self._counters.waiting_units.observe(len(self._waiting))
                group = self._take_group()
                self._counters.group_units.observe(len(group))
                results = await self._carry_out([unit for unit, *_ in group])
                now = monotonic()
                for (_, answer, came_at), result in zip(group, results, strict=True):
                    self._counters.unit.observe(now - came_at)
                    if isinstance(result, Exception):
                        answer.set_exception(result)
                    else:
                        answer.set_result(result)
        finally:
            self._task = None
            # None is left, unless the task was cancelled: then nobody else would answer the callers.
            left, self._waiting = [*group, *self._waiting], []
            for _, answer, _ in left:
                if not answer.done():
                    answer.set_exception(StoreUnavailable("the server stopped before it had written the request"))

    def _take_group(self) -> list[_Waiting]:
        # The units before it are stored when something fails here, and these callers must get their answers too.
        try:
            group, self._waiting, self._overtaking = self._next_group()
        except Exception:
            log.exception("the next units could not be chosen, the first one goes alone")
            group, self._waiting, self._overtaking = self._waiting[:1], self._waiting[1:], 0
        return group

    def _next_group(self) -> tuple[list[_Waiting], list[_Waiting], int]:
        """Return the units of the next group, those that still wait, and how many have then overtaken their first."""
        waiting, overtaking = list(self._waiting), self._overtaking
        group: list[_Waiting] = []
        parts = 0
        while waiting:
            place = _next_place(waiting, overtaking)
            unit, *_ = chosen = waiting[place]
            parts += unit.parts
            if group and (unit.is_heavy or parts > MAX_GROUP_PARTS):
                break
            del waiting[place]
            group.append(chosen)
            overtaking = overtaking + 1 if place else 0
            if unit.is_heavy:
                break
        return group, waiting, overtaking


def _next_place(waiting: Sequence[_Waiting], overtaking: int) -> int:
    """Return the index of the unit that goes next."""
    first, *_ = waiting[0]
    if not first.is_heavy or overtaking >= MAX_OVERTAKING:
        return 0
    before = set(first.channels)
    for place, (unit, *_) in enumerate(waiting[1:], 1):
        if not unit.is_heavy and before.isdisjoint(unit.channels):
            return place
        before |= unit.channels
    return 0
