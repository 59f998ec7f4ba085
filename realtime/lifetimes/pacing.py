"""Pacing: connections that end or are warned at one moment come in batches, between which others have their turn."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from math import ceil

__all__ = ["SPREAD_SECONDS", "PacedCalls", "call_in_batches"]

#: Calls in one turn of the event loop.
BATCH = 50
#: Most seconds between two batches; few calls are made without a pause.
PAUSE_SECONDS = 0.02
#: Seconds over which many calls are spread; clients see the end of a token within a second.
SPREAD_SECONDS = 0.5

_Call = Callable[[], object]


async def call_in_batches(calls: Sequence[_Call], within_seconds: float) -> None:
    """Make all calls in batches, spread over at most `within_seconds`; return after the last."""
    batches = [calls[start : start + BATCH] for start in range(0, len(calls), BATCH)]
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number, batch in enumerate(batches):
        # By the clock, not one pause after the other: a late batch is not delayed further.
        due = began + number * min(PAUSE_SECONDS, within_seconds / len(batches))
        await asyncio.sleep(due - loop.time())
        for call in batch:
            call()


class PacedCalls:
    """Makes calls that come one by one, perhaps thousands from the timers of one turn.

    A call is made at once if none was made in the last `PAUSE_SECONDS`. The others wait, and are made in order, in
    batches that are large enough for `SPREAD_SECONDS`.
    """

    def __init__(self) -> None:
        """Begin without calls."""
        self._waiting: deque[_Call] = deque()
        self._batch = BATCH
        self._is_pausing = False

    def call(self, call: _Call) -> None:
        """Make this call at once, or behind those that wait."""
        self._waiting.append(call)
        self._batch = max(self._batch, ceil(len(self._waiting) * PAUSE_SECONDS / SPREAD_SECONDS))
        if not self._is_pausing:
            self._call_batch()

    def _call_batch(self) -> None:
        count = min(self._batch, len(self._waiting))
        self._is_pausing = count > 0
        if not count:
            self._batch = BATCH
            return
        # The timer comes first: a call that fails delays those behind it, and loses none.
        asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._call_batch)
        for _ in range(count):
            self._waiting.popleft()()
