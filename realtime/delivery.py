"""From the broker to the queues of this node's readers: fold, translate, stamp with the cursor, hand to the hub."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from realtime import envelopes
from realtime.board_views import BoardView, BoardViews
from realtime.channels import Channel, delivery_channels
from realtime.dashboard_feed import DashboardFeed
from realtime.envelopes import Envelope
from realtime.errors import BoardGone
from realtime.hub import Hub
from realtime.kanban.events import DASHBOARD_EVENTS, ProjectDeleted
from realtime.kanban.ids import BoardId
from realtime.options import Delivery
from realtime.ports import StoredEvent
from realtime.translate import changes_board, translate

__all__ = ["Deliverer"]

#: What waits for a channel until the batch is through, so that a batch is put into each queue in one step.
Outbox = dict[Channel, list[Envelope]]
#: The deliveries of a board that somebody reads.
Readers = list[tuple[Delivery, Channel]]


class Deliverer:
    """Handles the batches of a `Broker`.

    Costs nothing per event of a board that nobody watches, and no envelope of a delivery that nobody reads.
    """

    def __init__(self, hub: Hub, views: BoardViews, dashboard: DashboardFeed) -> None:
        """Deliver to the readers of `hub`."""
        self._hub = hub
        self._views = views
        self._dashboard = dashboard

    def deliver(self, batch: Sequence[StoredEvent]) -> None:
        """Put the envelopes of a batch into the queues of all readers of their channels, in order."""
        outbox: Outbox = {}
        for board_id, run in groupby(batch, key=_board_of):
            if board_id is None:
                self._to_everybody(run, outbox)
            else:
                self._to_board(board_id, run, outbox)
        if any(stored.recorded.event.type in DASHBOARD_EVENTS for stored in batch):
            self._dashboard.changed()
        for channel, waiting in outbox.items():
            self._hub.publish(channel, waiting)

    def _to_board(self, board_id: BoardId, run: Iterable[StoredEvent], outbox: Outbox) -> None:
        read = self._read(board_id)
        for stored in run:
            view = self._views.apply(board_id, stored)
            if view is not None:
                _tell(view, stored, read, outbox)
            if type(stored.recorded.event) is ProjectDeleted:
                self._end_board(board_id, outbox)

    def _read(self, board_id: BoardId) -> Readers:
        """Return the deliveries of a board that have readers."""
        return [one for one in delivery_channels(board_id) if self._hub.has_readers(one[1])]

    def _to_everybody(self, run: Iterable[StoredEvent], outbox: Outbox) -> None:
        for stored in run:
            moved = self._views.apply_globally(stored)
            self._dashboard.global_offset = stored.global_offset
            for type, payload in translate(stored.recorded, None):
                self._spread(Envelope(type, payload), moved, outbox)

    def _spread(self, message: Envelope, moved: Iterable[tuple[BoardId, BoardView]], outbox: Outbox) -> None:
        """Put `message` into the boxes of all channels, each with its own cursor."""
        for board_id, view in moved:
            stamped = message.stamped(view.position.cursor)
            for _, channel in self._read(board_id):
                outbox.setdefault(channel, []).append(stamped)
        for channel in self._dashboard.channels():
            outbox.setdefault(channel, []).append(message.stamped(self._dashboard.position.cursor))

    def _end_board(self, board_id: BoardId, outbox: Outbox) -> None:
        goodbye = envelopes.goodbye(BoardGone.code, 0)
        self._views.drop(board_id)
        for _, channel in self._read(board_id):
            last = [*outbox.pop(channel, ()), goodbye]
            self._hub.end(channel, BoardGone(f"board {board_id} was deleted"), last)


def _board_of(stored: StoredEvent) -> BoardId | None:
    return stored.recorded.event.board_id


def _tell(view: BoardView, stored: StoredEvent, read: Readers, outbox: Outbox) -> None:
    """Put into the boxes of a board's channels what its view tells of the event that it has folded last."""
    differs = changes_board(stored.recorded)
    alike: list[Envelope] | None = None
    for delivery, channel in read:
        if differs:
            told = view.told(stored, delivery)
        else:
            told = alike = view.told(stored) if alike is None else alike
        if told:
            outbox.setdefault(channel, []).extend(told)
