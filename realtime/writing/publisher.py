"""Publishes what is stored to all nodes; what could not be published is delivered from the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from time import monotonic

from realtime.fanout.counters import Counters
from realtime.kanban.ids import BoardId
from realtime.ports import Broker, StoredEvent
from realtime.views.board_views import BoardViews, Fold
from realtime.views.repair import Repair
from realtime.writing.command_unit import Decision
from realtime.writing.write_group import Result

__all__ = ["PUBLISHED_AT_ONCE", "Publisher"]

log = logging.getLogger(__name__)

#: Most events of a part. A turn of the event loop publishes parts until this many seconds have passed: 1,000 events
#: held it for 50 ms. One part a turn is too few: the turns of others are as long, and the next group waits (measured).
PUBLISHED_AT_ONCE, TURN_SECONDS = 100, 0.012


class Publisher:
    """Publishes one group of units after the other."""

    def __init__(self, broker: Broker, views: BoardViews, repair: Repair, counters: Counters) -> None:
        """Publish to `broker`. `repair` delivers what it did not deliver."""
        self._broker = broker
        self._views = views
        self._repair = repair
        self._counters = counters

    async def publish(self, stored: Sequence[StoredEvent], done: Sequence[Result]) -> None:
        """Publish a group to all nodes. It is stored, so a failure is no error: the repair delivers it from the log."""
        if not stored:
            return
        try:
            self._counters.events_stored += len(stored)
            self._prime([result for result in done if isinstance(result, Decision)])
            if await self._publish_in_parts(stored):
                return
            log.error("the broker did not deliver what was published, it is read from the log")
        except Exception:
            log.exception("what was stored could not be published, it is read from the log")
        except BaseException:
            self._repair.note_lost(stored)
            raise
        self._repair.note_lost(stored)

    def _prime(self, decisions: Iterable[Decision]) -> None:
        """Give the watched boards the folds that were made to decide, so that they are not made again."""
        folds: dict[BoardId, list[Fold]] = {}
        for decision in decisions:
            folds.setdefault(decision.board_id, []).extend(decision.folds)
        for board_id, made in folds.items():
            if view := self._views.get(board_id):
                view.prime(made)

    async def _publish_in_parts(self, stored: Sequence[StoredEvent]) -> bool:
        """Publish events, and let others run between two parts; return whether the broker delivered each part.

        The next group is carried out after the last part, so nothing comes between two parts.
        """
        turn = monotonic()
        for start in range(0, len(stored), PUBLISHED_AT_ONCE):
            if (began := monotonic()) - turn > TURN_SECONDS:
                await asyncio.sleep(0)
                turn = began = monotonic()
            part = stored[start : start + PUBLISHED_AT_ONCE]
            await self._broker.publish(part)
            self._counters.broker_publish.observe(monotonic() - began)
            if not self._repair.has_delivered(part):
                return False
        return True
