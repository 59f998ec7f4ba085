"""Writer priority: while a unit is being written, broadcast queues pause.

Fan-out to many subscribers keeps the event loop busy for tens of milliseconds. A loop that never sleeps seldom releases
the interpreter lock, so the database thread hardly runs: an event that takes one millisecond to store would wait until
all subscribers have the event before it. So broadcast queues wait for the end of the unit. This delays subscribers by
at most `MAX_DEFER_SECONDS`, and it saves work: the batches that were written meanwhile are delivered as one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["MAX_DEFER_SECONDS", "WriterPriority"]

log = logging.getLogger(__name__)
#: Seconds after which a deferred pass runs although a unit is still being written.
MAX_DEFER_SECONDS = 0.002


class WriterPriority:
    """Schedules the passes of broadcast queues: in the next turn of the event loop, or after the unit being written.

    Units that follow each other, or wait for each other, do not starve a broadcast queue: it has a turn with each.
    """

    def __init__(self) -> None:
        """Begin without a unit."""
        self._units = 0
        #: Whether passes are deferred while a unit is being written.
        self._is_deferring = True
        self._waiting: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Defer passes for the length of the block, in which a unit is written."""
        self._units += 1
        self._is_deferring = True
        try:
            yield
        finally:
            self._units -= 1
            try:
                self._run_deferred()
            except Exception:
                # The unit is stored and its caller must get the answer; the timer runs the deferred passes.
                log.exception("deferred passes could not be scheduled")

    def call_when_free(self, turn: Callable[[], None]) -> None:
        """Call `turn` in a later turn of the event loop: the next one, or the one in which a unit is stored."""
        loop = asyncio.get_running_loop()
        if not self._units or not self._is_deferring:
            loop.call_soon(turn)
            return
        self._waiting.append(turn)
        if self._timer is None:
            self._timer = loop.call_later(MAX_DEFER_SECONDS, self._stop_deferring)

    def _stop_deferring(self) -> None:
        self._is_deferring = False
        self._run_deferred()

    def _run_deferred(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            asyncio.get_running_loop().call_soon(turn)
