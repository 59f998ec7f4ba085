"""The right of way: what is being written down goes before crowds are told of what was.

A crowd keeps the loop busy for tens of milliseconds, and from a loop that never sleeps a thread hardly gets Python's
lock: an event that the database takes in one millisecond then waits for the whole crowd to have the one before. While
a unit of writing is under way lanes therefore wait for its end, which costs readers that much and saves them more: what
was written meanwhile is given to them in one piece.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["MAX_DEFER_SECONDS", "WriterPriority"]

log = logging.getLogger(__name__)
#: Seconds after which lanes wait no longer for a unit of writing.
MAX_DEFER_SECONDS = 0.002


class WriterPriority:
    """Says when a lane may go on: in the next turn of the loop, or once something that was being written is written.

    However many units follow each other, or wait for each other, a lane has a turn with each.
    """

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._units = 0
        #: Whether lanes wait for what is under way.
        self._is_patient = True
        self._waiting: list[Callable[[], None]] = []
        self._patience: asyncio.TimerHandle | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Have lanes wait for the block, in which a unit is written."""
        self._units += 1
        self._is_patient = True
        try:
            yield
        finally:
            self._units -= 1
            try:
                self._give()
            except Exception:
                # Lanes go on when they lose patience; what was written is written, and its writer is told so.
                log.exception("the right of way could not be given back")

    def call_when_free(self, turn: Callable[[], None]) -> None:
        """Call `turn` in a later turn of the loop: the next, or that in which a unit is written."""
        loop = asyncio.get_running_loop()
        if not self._units or not self._is_patient:
            loop.call_soon(turn)
            return
        self._waiting.append(turn)
        if self._patience is None:
            self._patience = loop.call_later(MAX_DEFER_SECONDS, self._lose_patience)

    def _lose_patience(self) -> None:
        self._is_patient = False
        self._give()

    def _give(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        waiting, self._waiting = self._waiting, []
        for turn in waiting:
            asyncio.get_running_loop().call_soon(turn)
