"""One write unit at a time; a waiting light unit may overtake heavy units that write to other channels."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from realtime.messages.channels import Channel

__all__ = ["Turns"]

log = logging.getLogger(__name__)

#: Most light units that may overtake a heavy unit.
MAX_OVERTAKING = 32


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    turn: asyncio.Future[None]
    channels: frozenset[Channel]
    is_heavy: bool


class Turns:
    """A lock in the order of requests, with one exception.

    A heavy unit takes a hundred milliseconds, and a light unit behind several of them would wait for all. So a light
    unit may overtake, unless a unit before it writes to one of its channels: within a channel, the order of the
    clients' requests holds. Each heavy unit is overtaken by at most `MAX_OVERTAKING` light units.
    """

    def __init__(self) -> None:
        """Start without units."""
        self._is_taken = False
        self._waiting: list[_Waiting] = []
        #: Number of units that have overtaken the first waiting one.
        self._overtaking = 0

    @asynccontextmanager
    async def taken(self, channels: Collection[Channel], *, is_heavy: bool) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for the length of the block, which writes to `channels`."""
        if self._is_taken:
            await self._wait(_Waiting(asyncio.get_running_loop().create_future(), frozenset(channels), is_heavy))
        self._is_taken = True
        try:
            yield
        finally:
            try:
                self._pass_on()
            except Exception:
                # The unit is stored and its caller must hear so. Without a second try no unit would get a turn again.
                log.exception("the turn could not be passed on at once")
                asyncio.get_running_loop().call_soon(self._pass_on)

    async def _wait(self, waiting: _Waiting) -> None:
        self._waiting.append(waiting)
        try:
            await waiting.turn
        except asyncio.CancelledError:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            elif waiting.turn.done() and not waiting.turn.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give the turn to the next unit; the lock stays taken in between."""
        # A cancelled unit leaves the list only when its task runs.
        self._waiting = [waiting for waiting in self._waiting if not waiting.turn.done()]
        self._is_taken = bool(self._waiting)
        if not self._waiting:
            return
        next_ = self._next()
        self._overtaking = 0 if next_ is self._waiting[0] else self._overtaking + 1
        self._waiting.remove(next_)
        next_.turn.set_result(None)

    def _next(self) -> _Waiting:
        first = self._waiting[0]
        if not first.is_heavy or self._overtaking >= MAX_OVERTAKING:
            return first
        before: set[Channel] = set()
        for waiting in self._waiting:
            if not waiting.is_heavy and before.isdisjoint(waiting.channels):
                return waiting
            before |= waiting.channels
        return first
