"""From the broker to the queues of this node's subscribers: fold, translate, add the cursor, publish to the hub.

A failure stops nothing else, and loses nothing. If a view could not fold or translate an event, its position stays that
of its subscribers. `realtime.views.repair` continues there from the log.
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

#: Envelopes by channel, until the batch is complete, so that each queue gets a batch in one step. Only built-in methods
#: change it, because they do not fail halfway, when some channels have an envelope and others do not.
Outbox = dict[Channel, list[Envelope]]
#: Envelopes for each channel, to be added to the outbox.
Outgoing = list[tuple[Channel, list[Envelope]]]
#: The deliveries of a board that have subscribers, with their channels.
Deliveries = list[tuple[Delivery, Channel]]

log = logging.getLogger(__name__)


class Dispatcher:
    """Handles the batches of a `Broker`, and the events that are read from the log because a batch was lost.

    An event of a board that nobody watches costs nothing, and a delivery without subscribers gets no envelopes.
    """

    def __init__(self, hub: Hub, views: BoardViews, dashboard: DashboardFeed) -> None:
        """Deliver to the subscribers of `hub`."""
        self._hub = hub
        self._views = views
        self._dashboard = dashboard
        #: Channel and offset of the last event of the last batch; with it, the publisher sees that its batch arrived.
        self.last: tuple[Channel, int] | None = None
        #: Deleted boards whose subscribers did not get their `goodbye`.
        self._unended: set[BoardId] = set()

    def deliver(self, batch: Sequence[StoredEvent]) -> None:
        """Put the envelopes of a batch into the queues of all subscribers of their channels, in order."""
        outbox: Outbox = {}
        try:
            for board_id, run in groupby(batch, key=_board_of):
                if board_id is None:
                    self._to_all(run, outbox)
                else:
                    self._to_board(board_id, run, outbox)
        finally:
            # Even after a failure: the views have taken the events whose envelopes are in the outbox.
            try:
                self._publish(outbox)
            except Exception:
                log.exception("a batch may have reached only some subscribers of its channels; they resync")
                for channel in outbox:
                    self._hub.lose(channel)
        if any(stored.recorded.event.type in DASHBOARD_EVENTS for stored in batch):
            self._dashboard.changed()
        if batch:
            self.last = (batch[-1].channel, batch[-1].offset)

    def catch_up(self, board_id: BoardId, view: BoardView, page: Sequence[StoredEvent]) -> None:
        """Deliver a page of both logs to a board's subscribers, in order; it continues at the position of the view.

        Raises:
            Exception: an event could not be folded or translated; the view is at the position before it, and is broken.
        """
        outbox: Outbox = {}
        at, deliveries = view.position, self._deliveries(board_id)
        try:
            for stored in page:
                at = view.position
                if stored.recorded.event.board_id is None:
                    outgoing = _global_envelopes(view, stored, deliveries)
                else:
                    view.apply(stored)
                    outgoing = _envelopes_of(view, stored, deliveries)
                for channel, made in outgoing:
                    outbox.setdefault(channel, []).extend(made)
                if type(stored.recorded.event) is ProjectDeleted:
                    self._end_board(board_id, outbox)
                    break
        except Exception:
            self._views.fall_behind(board_id, at)
            raise
        finally:
            self._publish(outbox)

    def resync(self, board_id: BoardId) -> None:
        """Resync the subscribers of a board with a `gap` and the current state, because the missed events are lost."""
        for _, channel in self._deliveries(board_id):
            self._hub.lose(channel)

    def end(self, board_id: BoardId) -> None:
        """End the streams of a deleted board; if that fails, `end_again` tries again."""
        self._end_board(board_id, {})

    def end_again(self, board_id: BoardId) -> None:
        """End the streams of a deleted board, if that has failed before."""
        if board_id in self._unended:
            self._end_subscribers(board_id, {})
            self._unended.discard(board_id)

    def _to_board(self, board_id: BoardId, run: Iterable[StoredEvent], outbox: Outbox) -> None:
        deliveries: Deliveries | None = None
        for stored in run:
            at = self._views.position(board_id)
            try:
                view = self._views.apply(board_id, stored)
                if view is not None:
                    deliveries = self._deliveries(board_id) if deliveries is None else deliveries
                    for channel, made in _envelopes_of(view, stored, deliveries):
                        outbox.setdefault(channel, []).extend(made)
                if type(stored.recorded.event) is ProjectDeleted:
                    self._end_board(board_id, outbox)
                    deliveries = None
            except Exception:
                log.exception("an event of board %s could not be delivered, it is read again from the log", board_id)
                self._views.fall_behind(board_id, at)

    def _deliveries(self, board_id: BoardId) -> Deliveries:
        """Return the deliveries of a board that have subscribers."""
        return [one for one in delivery_channels(board_id) if self._hub.has_subscribers(one[1])]

    def _to_all(self, run: Iterable[StoredEvent], outbox: Outbox) -> None:
        deliveries: dict[BoardId, Deliveries] = {}  # no subscriber comes or goes during a run
        for stored in run:
            positions = [(board_id, self._views.position(board_id)) for board_id in self._views.watched()]
            dashboards_at = self._dashboard.global_offset
            try:
                for channel, made in self._envelopes_for_all(stored, deliveries):
                    outbox.setdefault(channel, []).extend(made)
            except Exception:
                log.exception("a global event could not be delivered, it is read again from the log")
                for board_id, at in positions:
                    self._views.fall_behind(board_id, at)
                self._dashboard.fall_behind(dashboards_at)

    def _envelopes_for_all(self, stored: StoredEvent, deliveries: dict[BoardId, Deliveries]) -> Outgoing:
        """Return the envelopes of a global event for each channel of a board, and for the dashboards."""
        messages = _messages(stored)
        made: Outgoing = []
        for board_id, view in self._views.apply_globally(stored):
            if board_id not in deliveries:
                deliveries[board_id] = self._deliveries(board_id)
            made += _stamped(messages, view, deliveries[board_id])
        if self._dashboard.is_next(stored.global_offset):
            made += self._envelopes_for_dashboards(stored, messages)
            self._dashboard.global_offset = stored.global_offset
        return made

    def _envelopes_for_dashboards(self, stored: StoredEvent, messages: Iterable[Envelope]) -> Outgoing:
        """Return the envelopes of a global event for the dashboards."""
        channels = self._dashboard.channels()
        if not channels:
            return []
        cursor = self._dashboard.position.moved_globally(stored.global_offset).cursor
        stamped = [message.stamped(cursor) for message in messages]
        return [(channel, stamped) for channel in channels]

    def _end_board(self, board_id: BoardId, outbox: Outbox) -> None:
        self._views.drop(board_id)
        try:
            self._end_subscribers(board_id, outbox)
        except Exception:
            log.exception("the streams of the deleted board %s could not be ended; that is tried again", board_id)
            self._unended.add(board_id)
            self._views.on_behind(board_id)

    def _end_subscribers(self, board_id: BoardId, outbox: Outbox) -> None:
        goodbye = envelopes.goodbye(BoardGone.code, 0)
        for _, channel in self._deliveries(board_id):
            last = [*outbox.pop(channel, ()), goodbye]
            self._hub.end(channel, BoardGone(f"board {board_id} was deleted"), last)

    def _publish(self, outbox: Outbox) -> None:
        for channel, waiting in outbox.items():
            try:
                self._hub.publish(channel, waiting)
            except Exception:
                log.exception("a batch could not be published to the subscribers of %s; they resync", channel)
                self._hub.lose(channel)


def _board_of(stored: StoredEvent) -> BoardId | None:
    return stored.recorded.event.board_id


def _envelopes_of(view: BoardView, stored: StoredEvent, deliveries: Deliveries) -> Outgoing:
    """Return the envelopes of the event that a view has folded last, for each channel of its board."""
    differs = changes_board(stored.recorded)
    alike: list[Envelope] | None = None
    outgoing: Outgoing = []
    for delivery, channel in deliveries:
        if differs:
            made = view.envelopes_of(stored, delivery)
        else:
            made = alike = view.envelopes_of(stored) if alike is None else alike
        if made:
            outgoing.append((channel, made))
    return outgoing


def _global_envelopes(view: BoardView, stored: StoredEvent, deliveries: Deliveries) -> Outgoing:
    messages = _messages(stored)
    view.move_globally(stored.global_offset)
    return _stamped(messages, view, deliveries)


def _messages(stored: StoredEvent) -> list[Envelope]:
    """Return the envelopes of a global event, without a cursor."""
    return [Envelope(payload) for payload in translate(stored.recorded, None)]


def _stamped(messages: Iterable[Envelope], view: BoardView, deliveries: Deliveries) -> Outgoing:
    """Return the envelopes of a global event with the cursor of a board, for each of its channels."""
    if not deliveries:
        return []
    cursor = view.position.cursor
    stamped = [message.stamped(cursor) for message in messages]
    return [(channel, stamped) for _, channel in deliveries]
