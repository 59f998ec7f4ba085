"""Retention: deletes events that the log need not keep any longer, in the background, one small piece at a time.

`ports.LogPruner` says what the store deletes and what it leaves.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from realtime.clock import Clock
from realtime.errors import StoreUnavailable
from realtime.ports import Horizon, LogPruner

__all__ = ["PIECE_EVENTS", "Retention", "pruning"]

#: Events that are deleted in one write unit. A command waits at most for one, some tens of milliseconds.
PIECE_EVENTS = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the log is kept, and how often it is pruned."""

    #: Greatest age of an event; None = no limit.
    age: timedelta | None
    #: Number of the newest events of each channel that are kept; None = all.
    newest_events: int | None
    #: Seconds between two rounds, and before the first.
    prune_seconds: float

    def horizon(self, now: datetime) -> Horizon:
        """Return the limit before which events may be deleted at the time `now`."""
        return Horizon(now - self.age if self.age is not None else None, self.newest_events)


@asynccontextmanager
async def pruning(
    pruner: LogPruner, clock: Clock, retention: Retention, leads: Callable[[], bool] = lambda: True
) -> AsyncIterator[None]:
    """Keep the logs of all channels within `retention` for the length of the block, while `leads` is true.

    A fault is logged, and the next round tries again. The end of the block waits only for the current piece.
    """
    stopping = asyncio.Event()
    task = asyncio.create_task(_run(pruner, clock, retention, leads, stopping), name="retention")
    try:
        yield
    finally:
        stopping.set()
        await task


async def _run(
    pruner: LogPruner, clock: Clock, retention: Retention, leads: Callable[[], bool], stopping: asyncio.Event
) -> None:
    while not await _set_within(retention.prune_seconds, stopping):
        if not leads():
            continue  # another node prunes; both at a time would do no harm
        try:
            forgotten = await _round(pruner, retention.horizon(clock()), stopping)
            if forgotten:
                log.info("forgot %d events that the log need not keep any longer", forgotten)
        except StoreUnavailable as error:
            log.warning("the log was not pruned, the next round tries again: %s", error)
        except Exception:
            log.exception("pruning the log failed, the next round tries again")


async def _round(pruner: LogPruner, horizon: Horizon, stopping: asyncio.Event) -> int:
    total = 0
    for channel in await pruner.prunable(horizon):
        forgotten = PIECE_EVENTS
        while forgotten == PIECE_EVENTS:
            began = asyncio.get_running_loop().time()
            forgotten = await pruner.prune(channel, horizon, PIECE_EVENTS)
            total += forgotten
            # The pause is as long as the piece took, so writers have at least half of the store's time.
            if await _set_within(asyncio.get_running_loop().time() - began, stopping):
                return total
    return total


async def _set_within(seconds: float, event: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
