"""One unit of writing at a time; a light one that waits goes before heavy ones that have nothing to do with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from realtime.messages.channels import Channel

__all__ = ["Turns"]

#: So many light units may go before a heavy one that has come first.
MAX_OVERTAKING = 32


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    turn: asyncio.Future[None]
    channels: frozenset[Channel]
    is_heavy: bool


class Turns:
    """A lock whose order is that of asking, with one exception.

    A heavy unit takes a hundred milliseconds. A light one that comes behind several of them would wait for all, so it
    is let through, unless one of those before it writes to a channel of its own: the order in a channel is that in
    which clients ask. Heavy units are delayed by no more than `MAX_OVERTAKING` light ones each.
    """

    def __init__(self) -> None:
        """Begin with nobody."""
        self._is_taken = False
        self._waiting: list[_Waiting] = []
        #: How many have gone before the first that waits.
        self._overtaking = 0

    @asynccontextmanager
    async def taken(self, channels: Collection[Channel], *, is_heavy: bool) -> AsyncIterator[None]:
        """Wait for a turn, and have it for the length of the block, which writes to `channels`."""
        if self._is_taken:
            await self._wait(_Waiting(asyncio.get_running_loop().create_future(), frozenset(channels), is_heavy))
        self._is_taken = True
        try:
            yield
        finally:
            self._pass_on()

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
        """Give the turn to the next; it stays taken in between."""
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
