"""Heartbeats inside the stream, for clients that keep a copy of a board: cursor and hash of that copy.

They go through the hub, between the envelopes of the board. A transport that made its own heartbeats would not know
the position of the stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from realtime.clock import Clock
from realtime.fanout.hub import Hub
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.ids import BoardId
from realtime.messages import envelopes
from realtime.messages.channels import delivery_channel
from realtime.messages.options import Delivery
from realtime.views.board_views import BoardViews

__all__ = ["CHECKED", "Heartbeats"]

#: The deliveries whose clients keep a copy. (With `state`, a client gets a whole state with every change.)
CHECKED = (Delivery.CHANGES, Delivery.PATCH)


@dataclass(slots=True)
class _Beating:
    """One timer, and the number of subscribers that get its heartbeats."""

    timer: asyncio.TimerHandle
    subscribers: int = 0


class Heartbeats:
    """One timer for each board with such subscribers, regardless of their number."""

    def __init__(self, hub: Hub, views: BoardViews, clock: Clock, seconds: float) -> None:
        """Send a heartbeat every `seconds`, with the time of `clock`."""
        self._hub = hub
        self._views = views
        self._clock = clock
        self._seconds = seconds
        self._boards: dict[BoardId, _Beating] = {}

    def __len__(self) -> int:
        """Return the number of boards with a timer."""
        return len(self._boards)

    def running_for(self, board_id: BoardId, delivery: Delivery) -> AbstractContextManager[None]:
        """Send heartbeats to the subscribers of a board for the length of the block, if the delivery has heartbeats."""
        return self._beating(board_id) if delivery in CHECKED else nullcontext()

    @contextmanager
    def _beating(self, board_id: BoardId) -> Iterator[None]:
        if board_id not in self._boards:
            self._boards[board_id] = _Beating(self._timer(board_id))
        beating = self._boards[board_id]
        beating.subscribers += 1
        try:
            yield
        finally:
            beating.subscribers -= 1
            if not beating.subscribers:
                beating.timer.cancel()
                del self._boards[board_id]

    @contextmanager
    def plain(self, subscriber: Subscriber) -> Iterator[None]:
        """Send plain heartbeats to one subscriber of a deleted board for the length of the block; they have no hash."""
        beating = _Beating(self._timer_of(subscriber, lambda: beating))
        try:
            yield
        finally:
            beating.timer.cancel()

    def beat(self, board_id: BoardId) -> None:
        """Send a heartbeat now; a deleted board gets none."""
        view = self._views.get(board_id)
        if view is not None:
            beat = envelopes.checked_heartbeat(self._clock(), view.position.cursor, view.state_hash())
            for delivery in CHECKED:
                self._hub.publish(delivery_channel(board_id, delivery), (beat,))

    def _timer_of(self, subscriber: Subscriber, beating: Callable[[], _Beating]) -> asyncio.TimerHandle:
        def beat() -> None:
            beating().timer = self._timer_of(subscriber, beating)
            subscriber.put_nowait((envelopes.heartbeat(self._clock()),))

        return asyncio.get_running_loop().call_later(self._seconds, beat)

    def _timer(self, board_id: BoardId) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._seconds, self._beat_again, board_id)

    def _beat_again(self, board_id: BoardId) -> None:
        # The next timer first, so that a fault in this heartbeat does not end all of them.
        self._boards[board_id].timer = self._timer(board_id)
        self.beat(board_id)
