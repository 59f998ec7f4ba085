"""One reader's queue: bounded, never waited for by those who fill it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NoReturn

from realtime.envelopes import Envelope
from realtime.errors import SubscriberTooSlow

__all__ = ["Subscriber"]


class Subscriber:
    """The queue between the hub and one stream.

    1. `put_nowait` returns at once. A batch that does not fit is not cut: the queue is emptied and the reader's
       next `get` raises `SubscriberTooSlow`. Nothing is dropped in silence.
    2. `end` lets the reader have what is queued, then `get` raises the given exception.
    One task reads; any code on the loop may put.
    """

    def __init__(self, limit: int) -> None:
        """Make a queue for at most `limit` envelopes."""
        self.limit = limit
        self._queue: deque[Envelope] = deque()
        self._ended: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None
        self._overflow = asyncio.Event()

    def __len__(self) -> int:
        """How many envelopes wait."""
        return len(self._queue)

    def put_nowait(self, batch: Sequence[Envelope]) -> None:
        """Queue `batch`, in order, for the reader."""
        if self._ended is not None:
            return
        if len(self._queue) + len(batch) > self.limit:
            self._queue.clear()
            self._ended = SubscriberTooSlow(f"more than {self.limit} envelopes waited for this reader")
            self._overflow.set()
        else:
            self._queue.extend(batch)
        self._wake()

    def end(self, reason: Exception) -> None:
        """Let the reader finish the queue, then meet `reason`; the first call counts."""
        if self._ended is None:
            self._ended = reason
            self._wake()

    async def get(self) -> Envelope:
        """Return the next envelope, waiting for it.

        Raises:
            SubscriberTooSlow: the queue was full.
            Exception: whatever `end` was given, once the queue is empty.
        """
        while not self._queue:
            if self._ended is not None:
                raise self._ended
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return self._queue.popleft()

    async def overflowed(self) -> NoReturn:
        """Wait until the queue is too full, for who sends and may be stuck in it.

        Raises:
            SubscriberTooSlow: now.
        """
        await self._overflow.wait()
        raise SubscriberTooSlow(f"more than {self.limit} envelopes waited for this reader")

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
