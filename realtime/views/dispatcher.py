"""From the broker to the queues of this node's readers: fold, translate, stamp with the cursor, hand to the hub.

Nothing that fails here stops the rest, and nothing of it is lost: a view that could not take or tell an event stays
where its readers stand, and `realtime.views.repair` goes on from there with what the log has.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from itertools import groupby

from realtime.errors import BoardGone
from realtime.fanout.hub import Hub
from realtime.kanban.events import DASHBOARD_EVENTS, ProjectDeleted
from realtime.kanban.ids import BoardId
from realtime.messages import envelopes
from realtime.messages.channels import Channel, delivery_channels
from realtime.messages.envelopes import Envelope
from realtime.messages.options import Delivery
from realtime.messages.translate import changes_board, translate
from realtime.ports import StoredEvent
from realtime.views.board_views import BoardView, BoardViews
from realtime.views.dashboard_feed import DashboardFeed

__all__ = ["Dispatcher"]

#: What waits for a channel until the batch is through, so that a batch is put into each queue in one step. Only the
#: interpreter's own methods put into it: they do not fail in the middle, where some channels have it and others not.
Outbox = dict[Channel, list[Envelope]]
#: What is to be put there.
Told = list[tuple[Channel, list[Envelope]]]
#: The deliveries of a board that somebody reads.
Readers = list[tuple[Delivery, Channel]]

log = logging.getLogger(__name__)


class Dispatcher:
    """Handles the batches of a `Broker`, and what is read from the log where one of them was lost.

    Costs nothing per event of a board that nobody watches, and no envelope of a delivery that nobody reads.
    """

    def __init__(self, hub: Hub, views: BoardViews, dashboard: DashboardFeed) -> None:
        """Deliver to the readers of `hub`."""
        self._hub = hub
        self._views = views
        self._dashboard = dashboard
        #: Channel and offset of the last event of the last batch: who published it sees that it came.
        self.last: tuple[Channel, int] | None = None
        #: Deleted boards whose readers could not be told.
        self._left: set[BoardId] = set()

    def deliver(self, batch: Sequence[StoredEvent]) -> None:
        """Put the envelopes of a batch into the queues of all readers of their channels, in order."""
        outbox: Outbox = {}
        try:
            for board_id, run in groupby(batch, key=_board_of):
                if board_id is None:
                    self._to_everybody(run, outbox)
                else:
                    self._to_board(board_id, run, outbox)
        finally:
            # Whatever has failed: what is in the boxes, the views have taken.
            try:
                self._hand_out(outbox)
            except Exception:
                log.exception("nobody knows which readers have what happened, all of them get the present")
                for channel in outbox:
                    self._hub.lose(channel)
        if any(stored.recorded.event.type in DASHBOARD_EVENTS for stored in batch):
            self._dashboard.changed()
        if batch:
            self.last = (batch[-1].channel, batch[-1].offset)

    def catch_up(self, board_id: BoardId, view: BoardView, page: Sequence[StoredEvent]) -> None:
        """Tell the readers of one board what its log has behind the position of its view, in order, of both logs.

        Raises:
            Exception: an event could not be folded or told; the view stands before it and is broken.
        """
        outbox: Outbox = {}
        at, read = view.position, self._read(board_id)
        try:
            for stored in page:
                at = view.position
                if stored.recorded.event.board_id is None:
                    told = _told_globally(view, stored, read)
                else:
                    view.apply(stored)
                    told = _told(view, stored, read)
                for channel, made in told:
                    outbox.setdefault(channel, []).extend(made)
                if type(stored.recorded.event) is ProjectDeleted:
                    self._end_board(board_id, outbox)
                    break
        except Exception:
            self._views.fall_behind(board_id, at)
            raise
        finally:
            self._hand_out(outbox)

    def catch_up_globally(self, page: Sequence[StoredEvent]) -> None:
        """Tell the readers of the dashboard which global events they have missed, in order."""
        outbox: Outbox = {}
        for stored in page:
            if self._dashboard.is_next(stored.global_offset):  # else the broker has brought it meanwhile
                for channel, told in self._told_dashboards(stored, _messages(stored)):
                    outbox.setdefault(channel, []).extend(told)
                self._dashboard.global_offset = stored.global_offset
        self._hand_out(outbox)

    def tell_loss(self, board_id: BoardId) -> None:
        """Let each reader of a board have a `gap` and the present: what it missed is gone."""
        for _, channel in self._read(board_id):
            self._hub.lose(channel)

    def end(self, board_id: BoardId) -> None:
        """Tell the readers of a board that it was deleted; where that fails, `end_left` tells them."""
        self._end_board(board_id, {})

    def end_left(self, board_id: BoardId) -> None:
        """Tell the readers of a board that was deleted, if that has failed before."""
        if board_id in self._left:
            self._end_readers(board_id, {})
            self._left.discard(board_id)

    def _to_board(self, board_id: BoardId, run: Iterable[StoredEvent], outbox: Outbox) -> None:
        read: Readers | None = None
        for stored in run:
            at = self._views.position(board_id)
            try:
                view = self._views.apply(board_id, stored)
                if view is not None:
                    read = self._read(board_id) if read is None else read
                    for channel, told in _told(view, stored, read):
                        outbox.setdefault(channel, []).extend(told)
                if type(stored.recorded.event) is ProjectDeleted:
                    self._end_board(board_id, outbox)
                    read = None
            except Exception:
                log.exception("an event of board %s could not be delivered, it is read again from the log", board_id)
                self._views.fall_behind(board_id, at)

    def _read(self, board_id: BoardId) -> Readers:
        """Return the deliveries of a board that have readers."""
        return [one for one in delivery_channels(board_id) if self._hub.has_readers(one[1])]

    def _to_everybody(self, run: Iterable[StoredEvent], outbox: Outbox) -> None:
        readers: dict[BoardId, Readers] = {}  # nobody comes or goes during a run
        for stored in run:
            standing = [(board_id, self._views.position(board_id)) for board_id in self._views.watched()]
            dashboards_at = self._dashboard.global_offset
            try:
                for channel, told in self._told_everybody(stored, readers):
                    outbox.setdefault(channel, []).extend(told)
            except Exception:
                log.exception("a global event could not be delivered, it is read again from the log")
                for board_id, at in standing:
                    self._views.fall_behind(board_id, at)
                self._dashboard.fall_behind(dashboards_at)

    def _told_everybody(self, stored: StoredEvent, readers: dict[BoardId, Readers]) -> Told:
        """Return what a global event is to each channel of a board, and to the dashboards."""
        messages = _messages(stored)
        made: Told = []
        for board_id, view in self._views.apply_globally(stored):
            if board_id not in readers:
                readers[board_id] = self._read(board_id)
            made += _stamped(messages, view, readers[board_id])
        if self._dashboard.is_next(stored.global_offset):
            made += self._told_dashboards(stored, messages)
            self._dashboard.global_offset = stored.global_offset
        return made

    def _told_dashboards(self, stored: StoredEvent, messages: Iterable[Envelope]) -> Told:
        """Return what a global event is to the dashboards."""
        channels = self._dashboard.channels()
        if not channels:
            return []
        cursor = self._dashboard.position.moved_globally(stored.global_offset).cursor
        stamped = [message.stamped(cursor) for message in messages]
        return [(channel, stamped) for channel in channels]

    def _end_board(self, board_id: BoardId, outbox: Outbox) -> None:
        self._views.drop(board_id)
        try:
            self._end_readers(board_id, outbox)
        except Exception:
            log.exception("the readers of board %s could not be told that it was deleted, they will be", board_id)
            self._left.add(board_id)
            self._views.on_behind(board_id)

    def _end_readers(self, board_id: BoardId, outbox: Outbox) -> None:
        goodbye = envelopes.goodbye(BoardGone.code, 0)
        for _, channel in self._read(board_id):
            last = [*outbox.pop(channel, ()), goodbye]
            self._hub.end(channel, BoardGone(f"board {board_id} was deleted"), last)

    def _hand_out(self, outbox: Outbox) -> None:
        for channel, waiting in outbox.items():
            try:
                self._hub.publish(channel, waiting)
            except Exception:
                log.exception("what happened could not be handed to the readers of %s, they get the present", channel)
                self._hub.lose(channel)


def _board_of(stored: StoredEvent) -> BoardId | None:
    return stored.recorded.event.board_id


def _told(view: BoardView, stored: StoredEvent, read: Readers) -> Told:
    """Return what a view tells of the event that it has folded last, for each channel of its board."""
    differs = changes_board(stored.recorded)
    alike: list[Envelope] | None = None
    made: list[tuple[Channel, list[Envelope]]] = []
    for delivery, channel in read:
        if differs:
            told = view.told(stored, delivery)
        else:
            told = alike = view.told(stored) if alike is None else alike
        if told:
            made.append((channel, told))
    return made


def _told_globally(view: BoardView, stored: StoredEvent, read: Readers) -> Told:
    messages = _messages(stored)
    view.move_globally(stored.global_offset)
    return _stamped(messages, view, read)


def _messages(stored: StoredEvent) -> list[Envelope]:
    """Return what a global event is to everybody, without a cursor."""
    return [Envelope(*message) for message in translate(stored.recorded, None)]


def _stamped(messages: Iterable[Envelope], view: BoardView, read: Readers) -> Told:
    """Return messages for everybody with the cursor of a board, for each of its channels."""
    if not read:
        return []
    cursor = view.position.cursor
    stamped = [message.stamped(cursor) for message in messages]
    return [(channel, stamped) for _, channel in read]
