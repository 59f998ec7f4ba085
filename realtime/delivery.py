"""From the broker to the queues of this node's readers: fold, translate, stamp with the cursor, hand to the hub."""

from __future__ import annotations

from collections.abc import Sequence

from realtime import envelopes
from realtime.board_views import BoardViews
from realtime.channels import EVERYBODY, Channel, board_channel
from realtime.dashboard_feed import DashboardFeed
from realtime.envelopes import Envelope
from realtime.errors import BoardGone
from realtime.hub import Hub
from realtime.kanban.events import DASHBOARD_EVENTS, ProjectDeleted
from realtime.kanban.ids import BoardId
from realtime.ports import StoredEvent
from realtime.translate import translate

__all__ = ["Delivery"]

#: What waits for a channel until the batch is through, so that a batch is put into each queue in one step.
Outbox = dict[Channel, list[Envelope]]


class Delivery:
    """Handles the batches of a `Broker`. Costs nothing per event of a board that nobody watches."""

    def __init__(self, hub: Hub, views: BoardViews, dashboard: DashboardFeed) -> None:
        """Deliver to the readers of `hub`."""
        self._hub = hub
        self._views = views
        self._dashboard = dashboard

    def deliver(self, batch: Sequence[StoredEvent]) -> None:
        """Put the envelopes of a batch into the queues of all readers of their channels, in order."""
        outbox: Outbox = {}
        for stored in batch:
            event = stored.recorded.event
            if stored.channel == EVERYBODY:
                self._to_everybody(stored, outbox)
            elif event.board_id is not None:
                self._to_board(event.board_id, stored, outbox)
            if event.type in DASHBOARD_EVENTS:
                self._dashboard.changed()
            if isinstance(event, ProjectDeleted):
                self._end_board(BoardId(event.project_id), outbox)
        for channel, waiting in outbox.items():
            self._hub.publish(channel, waiting)

    def _to_board(self, board_id: BoardId, stored: StoredEvent, outbox: Outbox) -> None:
        view = self._views.apply(board_id, stored)
        told = view.told(stored) if view else []
        if told:
            outbox.setdefault(stored.channel, []).extend(told)

    def _to_everybody(self, stored: StoredEvent, outbox: Outbox) -> None:
        moved = self._views.apply_globally(stored)
        self._dashboard.global_offset = stored.global_offset
        for type, payload in translate(stored.recorded, None):
            message = Envelope(type, payload)
            for board_id, view in moved:
                outbox.setdefault(board_channel(board_id), []).append(message.stamped(view.position.cursor))
            for channel in self._dashboard.channels():
                outbox.setdefault(channel, []).append(message.stamped(self._dashboard.position.cursor))

    def _end_board(self, board_id: BoardId, outbox: Outbox) -> None:
        channel = board_channel(board_id)
        last = [*outbox.pop(channel, ()), envelopes.goodbye(BoardGone.code, 0)]
        self._views.drop(board_id)
        self._hub.end(channel, BoardGone(f"board {board_id} was deleted"), last)
