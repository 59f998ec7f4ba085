"""Shares the turns of the event loop between tasks that could go on for a long time without waiting.

A task that never has to wait never returns to the event loop, and nothing bounds how many tasks are ready in one turn.
After a batch of 1,000 events, 16 GraphQL subscriptions sent for 450 ms (measured); no other client was served in that
time. So such tasks share a part of each turn. When it is used up, they wait for a later turn, in order.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from time import perf_counter

__all__ = ["TURN_SECONDS", "WOKEN", "Turns"]

log = logging.getLogger(__name__)

#: Seconds of each turn of the event loop for all tasks that share it.
TURN_SECONDS = 0.004
#: The most tasks that go on in the next turn. The first one takes at least one step, however long that is.
WOKEN = 4


class Turns:
    """The share of some tasks in each turn of one event loop."""

    __slots__ = ("_ends", "_first", "_is_fresh", "_waiting", "number")

    def __init__(self) -> None:
        """Begin without tasks."""
        #: Changes with each turn in which a task asked.
        self.number = 0
        #: Time at which the share in this turn is used up; None = no task has asked in this turn.
        self._ends: float | None = None
        #: Whether none of the tasks that go on in this turn has run yet.
        self._is_fresh = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        #: The first so many of them were to go on in this turn, but others used up its share.
        self._first = 0

    def is_used_up(self) -> bool:
        """Return whether the share in this turn is used up, so that the task should wait for a later turn."""
        now = perf_counter()
        if self._ends is None:
            self._begin(now)
            return False
        return now > self._ends

    async def later(self) -> None:
        """Return in a later turn that has time, after all tasks that wait already."""
        place = len(self._waiting)
        while not await self._next_turn(place):
            # It keeps its place before those that wait behind it.
            place, self._first = self._first, self._first + 1

    async def _next_turn(self, place: int) -> bool:
        """Wait at this place until it is the task's turn; return whether the turn has time for the task."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.insert(place, waiter)
        if self._ends is None:
            self._begin(perf_counter())
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake(1)  # pass the turn to another task
            raise
        if self._ends is None:
            # The turn was that of a task that was cancelled, and has ended since.
            self._begin(perf_counter())
            return True
        if self._is_fresh:
            # A whole share from now on: the time until the loop reached this task does not count.
            self._is_fresh, self._ends = False, perf_counter() + TURN_SECONDS
            return True
        return perf_counter() <= self._ends

    async def room(self) -> None:
        """Return at once if this turn has time left; otherwise in a later turn."""
        if self.is_used_up():
            await self.later()

    def _begin(self, now: float) -> None:
        self._ends = now + TURN_SECONDS
        asyncio.get_running_loop().call_soon(self._end)

    def _end(self) -> None:
        self._ends = None
        self._first = 0
        self.number += 1
        try:
            if self._waiting:
                self._wake(WOKEN)
                # The tasks that still wait get another turn, even if those that go on now do not ask again.
                self._is_fresh = True
                self._begin(perf_counter())
        except Exception:
            # A fault of ours. Without another turn the tasks would wait for ever.
            log.exception("turns of the event loop could not be shared, all tasks go on")
            while self._waiting:
                waiter = self._waiting.popleft()
                if not waiter.done():
                    waiter.set_result(None)

    def _wake(self, count: int) -> None:
        while self._waiting and count:
            waiter = self._waiting.popleft()
            if not waiter.done():  # it is done if its task was cancelled
                waiter.set_result(None)
                count -= 1
