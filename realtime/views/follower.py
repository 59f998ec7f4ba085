"""The follower: brings this node up to date with what other nodes write (docs/decisions/0059-nodes-follow-the-log.md).

A hint names a channel and its head. If this node watches the channel and is not there yet, the repair reads what is
missing from the log. Hints may be lost, so the heads of all watched channels are compared regularly, in one query.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from realtime.errors import StoreUnavailable
from realtime.kanban.ids import BoardId
from realtime.messages.channels import ACCESS, DASHBOARD, EVERYBODY, Channel, board_channel, board_of
from realtime.ports import Broker, Heads, HistoryReader
from realtime.views.board_views import BoardViews
from realtime.views.dashboard_feed import DashboardFeed
from realtime.views.repair import Repair

__all__ = ["Follower"]

#: Seconds between two comparisons of all heads: how late an event is whose hint was lost.
COMPARE_SECONDS = 1.0
#: Called with the head of `ACCESS`; None = tokens or sessions have changed, with whatever head.
OnAccess = Callable[[int | None], object]
_UNKNOWN: Final = -1

log = logging.getLogger(__name__)


class Follower:
    """Takes the hints of other nodes, and compares heads."""

    def __init__(
        self, reader: HistoryReader, views: BoardViews, dashboard: DashboardFeed, repair: Repair, on_access: OnAccess
    ) -> None:
        """Compare with the heads of `reader`; let `repair` read what is missing."""
        self._reader = reader
        self._views = views
        self._dashboard = dashboard
        self._repair = repair
        self._on_access = on_access
        #: Set when hints may have been lost, so that the comparison does not wait for its time.
        self._is_unsure = asyncio.Event()
        self._last = _UNKNOWN

    @asynccontextmanager
    async def following(self, broker: Broker) -> AsyncIterator[None]:
        """Follow the other nodes for the length of the block: by the hints of `broker`, and by comparing heads."""
        broker.listen(self.hear)
        comparing = asyncio.create_task(self._run(), name="compare heads")
        try:
            yield
        finally:
            comparing.cancel()
            with suppress(asyncio.CancelledError):
                await comparing

    def hear(self, heads: Heads | None) -> None:
        """Take the heads of another node's channels; None = some were lost."""
        if heads is None:
            self._is_unsure.set()
            return
        self._take(heads)
        if ACCESS in heads:
            self._on_access(None)
        if DASHBOARD in heads:
            self._dashboard.changed()

    async def compare(self) -> None:
        """Compare this node with the heads of the log.

        Raises:
            StoreUnavailable: they could not be read.
        """
        # A board that is loading has no position yet. Its rows are newer than these heads, or the next comparison sees.
        watched = [board_channel(board_id) for board_id in self._views.watched() if self._views.position(board_id)]
        asked = [ACCESS, EVERYBODY, *watched, *([DASHBOARD] if self._dashboard.channels() else [])]
        heads = await self._reader.heads(asked)
        self._take(heads)
        self._on_access(heads[ACCESS])
        last = heads.get(DASHBOARD, _UNKNOWN)
        if last not in (_UNKNOWN, self._last):
            self._dashboard.look_again()
        self._last = last

    async def read_ahead(self, *board_ids: BoardId) -> None:
        """Read what other nodes have written to these boards and to the global log, without waiting for a hint.

        Raises:
            StoreUnavailable: the log could not be read.
        """
        self._take(await self._reader.heads([EVERYBODY, *map(board_channel, board_ids)]))
        for board_id in (*board_ids, None):
            await self._repair.finished(board_id)

    def _take(self, heads: Heads) -> None:
        # Boards first: one that is known to be behind gets global events in the order of the log.
        for channel, head in heads.items():
            self._take_board(channel, head)
        if heads.get(EVERYBODY, 0) > self._dashboard.global_offset:
            self._repair.note(None)

    def _take_board(self, channel: Channel, head: int) -> None:
        board_id = board_of(channel)
        if board_id is not None and board_id in self._views:
            at = self._views.position(board_id)
            if at is None or at.offset < head:
                self._views.fall_behind(board_id)

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(COMPARE_SECONDS):
                    await self._is_unsure.wait()
            self._is_unsure.clear()
            try:
                await self.compare()
            except StoreUnavailable:
                continue  # the store logs its outages itself, and the next comparison finds everything
            except Exception:
                log.exception("the heads could not be compared, that is tried again")
