"""The dashboard's overview, computed only while somebody watches it (docs/departures.md, row 14).

After a change that affects the dashboard, the overview is computed once, 150 ms after the *first* change since the
previous overview. Without a change it is computed every 15 s, and sent only if more than its times differs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from realtime.clock import Clock
from realtime.dashboard.overview import DashboardOverview, build_overview
from realtime.dashboard.time_range import TimeRange
from realtime.fanout.hub import Hub
from realtime.messages import envelopes
from realtime.messages.channels import DASHBOARD, Channel, dashboard_channel
from realtime.messages.envelopes import Envelope
from realtime.messages.position import Position, channel_tag
from realtime.ports import DashboardReader
from realtime.tasks import retrieve

__all__ = ["DashboardFeed"]

#: Seconds from the first change to the overview (docs/protocol.md).
DEBOUNCE_SECONDS = 0.15
#: Seconds between overviews without a change: windows move, and attempts become stuck.
REFRESH_SECONDS = 15.0
#: Pause before the loop continues after a fault: it doubles from the first value up to the last.
RETRY_SECONDS = (0.5, 30.0)
#: Fields that differ in every overview.
_TIMES = ("time_range", "generated_at", "updated_at")

log = logging.getLogger(__name__)


class _Watched:
    """One time range and the number of its subscribers."""

    def __init__(self, time_range: TimeRange) -> None:
        self.time_range = time_range
        self.subscribers = 0
        self.last: dict[str, Any] | None = None


class DashboardFeed:
    """Publishes overviews to the channels of the watched time ranges."""

    def __init__(self, hub: Hub, reader: DashboardReader, clock: Clock, epoch: str, global_offset: int) -> None:
        """Compute from the figures of `reader`; `global_offset` is the log's current one."""
        self._hub = hub
        self._reader = reader
        self._clock = clock
        self._epoch = epoch
        self.global_offset = global_offset
        self._watched: dict[Channel, _Watched] = {}
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        #: Whether it is known that the overviews have changed when the timer ends.
        self._is_sure = False
        self._loop: asyncio.Task[None] | None = None
        self._computing: dict[str, asyncio.Task[Envelope]] = {}
        #: Called when a global event was missed.
        self.on_behind: Callable[[], object] = lambda: None

    @property
    def position(self) -> Position:
        """The position of the dashboards' channels, which only follow the global log."""
        return Position(self._epoch, channel_tag(DASHBOARD), 0, self.global_offset)

    def channels(self) -> tuple[Channel, ...]:
        """Return the channels of the time ranges that somebody watches."""
        return tuple(self._watched)

    @asynccontextmanager
    async def watch(self, time_range: TimeRange) -> AsyncIterator[Channel]:
        """Keep the overview of a time range up to date for the length of the block; yield its channel."""
        channel = dashboard_channel(time_range.key)
        watched = self._watched.setdefault(channel, _Watched(time_range))
        watched.subscribers += 1
        if self._loop is None:
            self._loop = asyncio.create_task(self._run(), name="dashboard feed")
        try:
            yield channel
        finally:
            watched.subscribers -= 1
            if not watched.subscribers:
                self._watched.pop(channel, None)
            if not self._watched:
                self._stop()

    def is_next(self, global_offset: int) -> bool:
        """Return whether a global event is exactly the next one; a missing one is read from the log."""
        if global_offset > self.global_offset + 1:
            self.fall_behind()
        return global_offset == self.global_offset + 1

    def resync(self, global_offset: int) -> None:
        """Resync all subscribers with a `gap` and an overview, because the log has lost the missed global events."""
        self.global_offset = global_offset
        for channel in self.channels():
            self._hub.lose(channel)

    def fall_behind(self, at: int | None = None) -> None:
        """Record that a global event was missed; `at` is the offset of the subscribers, if it is another one."""
        if at is not None:
            self.global_offset = at
        self.on_behind()

    def changed(self) -> None:
        """Record a change. The first one after an overview starts the timer; later ones do not restart it."""
        if self._watched:
            self._is_sure = True
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(DEBOUNCE_SECONDS, self._due)

    def look_again(self) -> None:
        """Compute the overviews, because another node may have changed them; one that has not changed is not sent."""
        if self._watched and self._timer is None:
            self._is_sure = False
            self._timer = asyncio.get_running_loop().call_later(DEBOUNCE_SECONDS, self._due)

    async def overview(self, time_range: TimeRange) -> DashboardOverview:
        """Compute the current overview.

        Raises:
            StoreUnavailable: the figures could not be read.
        """
        now = self._clock()
        window = time_range.window(now)
        return build_overview(await self._reader.dashboard_figures(window), window, now)

    async def envelope(self, time_range: TimeRange) -> Envelope:
        """Compute the current overview as the first envelope for a new subscriber.

        Subscribers that come during the computation share it. If it misses a change, the change causes a new overview.

        Raises:
            StoreUnavailable: the figures could not be read.
        """
        computing = self._computing.get(time_range.key)
        if computing is None:
            computing = asyncio.create_task(self._first(time_range), name="first overview")
            computing.add_done_callback(retrieve)
            self._computing[time_range.key] = computing
        return await asyncio.shield(computing)

    async def _first(self, time_range: TimeRange) -> Envelope:
        try:
            current = await self.overview(time_range)
        finally:
            del self._computing[time_range.key]
        watched = self._watched.get(dashboard_channel(time_range.key))
        if watched and watched.last != _content(current):
            # If others have another overview, no content is known to all, so the next overview is always sent.
            watched.last = _content(current) if watched.last is None else {}
        return envelopes.overview(current, self.position.cursor)

    def _due(self) -> None:
        self._timer = None
        self._wake.set()

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._loop:
            self._loop.cancel()
            self._loop = None
        self._wake.clear()

    async def _run(self) -> None:
        first, longest = RETRY_SECONDS
        pause = first
        while True:
            changed = await self._next_turn()
            try:
                await self._publish(changed)
            except Exception:
                log.exception("the dashboard could not be computed; again in %s s", pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, longest)
                self._is_sure |= changed
                self._wake.set()
            else:
                pause = first

    async def _next_turn(self) -> bool:
        """Wait for a change or for the interval; return whether there was surely a change."""
        try:
            async with asyncio.timeout(REFRESH_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        is_sure, self._is_sure = self._is_sure, False
        return is_sure

    async def _publish(self, changed: bool) -> None:
        for channel, watched in list(self._watched.items()):
            current = await self.overview(watched.time_range)
            content = _content(current)
            if changed or content != watched.last:
                self._hub.publish(channel, (envelopes.overview(current, self.position.cursor),))
            watched.last = content


def _content(overview: DashboardOverview) -> dict[str, Any]:
    """Return the content that must differ for an overview to be sent without a change; only for comparison."""
    metrics = dict(overview.metrics)
    # The points of a series are at the beginning of the window, which moves with the clock.
    metrics["by_key"] = {key: series.total for key, series in overview.metrics.by_key.items()}
    return {key: value for key, value in overview if key not in _TIMES} | {"metrics": metrics}
