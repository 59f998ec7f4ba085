"""Streams: subscribe to a board or to the dashboard, and answer a subscriber's requests for the state."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from functools import partial

from realtime import streams
from realtime.dashboard.time_range import TimeRange
from realtime.errors import Refused
from realtime.fanout.counters import ConnectionMetrics
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.grants import Action
from realtime.kanban.ids import BoardId
from realtime.lifetimes.connection_lifetime import ConnectionLifetime
from realtime.messages.batches import Batch
from realtime.messages.envelopes import Envelope
from realtime.messages.options import StreamOptions
from realtime.node import Node
from realtime.service.access import Caller, board_not_found, check_everywhere, everywhere_forbidden
from realtime.service.open_streams import OpenStream, open_streams
from realtime.views.heartbeats import CHECKED

__all__ = ["Streams", "has_heartbeats"]


@dataclass(frozen=True, slots=True)
class Streams:
    """Requests that subscribe to a board or to the dashboard."""

    _node: Node

    def subscriber(self, metrics: ConnectionMetrics) -> Subscriber:
        """Return an empty queue for a new subscriber, with the usual bounds."""
        return self._node.subscriber(metrics)

    def board(
        self,
        caller: Caller,
        board_id: BoardId,
        subscriber: Subscriber,
        options: StreamOptions,
        *,
        lifetime: ConnectionLifetime | None = None,
        one_by_one: bool = False,
    ) -> AsyncGenerator[Batch, None]:
        """Return the stream of a board; see `realtime.streams.board_batches`.

        `one_by_one`: each batch has one envelope. The stream does nothing before its first iteration.

        Raises:
            NotFound: on the first iteration, if the board does not exist.
        """
        if not caller.may(Action.READ, board_id):
            return _refused(board_not_found)
        take = streams.one if one_by_one else Subscriber.take
        return streams.board_batches(
            self._node, board_id, subscriber, options, lifetime=lifetime, credential=caller.credential, take=take
        )

    def dashboard(
        self,
        caller: Caller,
        time_range: TimeRange,
        subscriber: Subscriber,
        options: StreamOptions,
        *,
        lifetime: ConnectionLifetime | None = None,
        one_by_one: bool = False,
    ) -> AsyncGenerator[Batch, None]:
        """Return the stream of the dashboard; see `realtime.streams.dashboard_batches`. Arguments as in `board`.

        Raises:
            Forbidden: on the first iteration, if the caller may not read the dashboard.
        """
        if not caller.may(Action.DASHBOARD, None):
            return _refused(partial(everywhere_forbidden, Action.DASHBOARD))
        take = streams.one if one_by_one else Subscriber.take
        return streams.dashboard_batches(
            self._node, time_range, subscriber, options, lifetime=lifetime, credential=caller.credential, take=take
        )

    def open(self, caller: Caller, limit: int) -> tuple[int, list[OpenStream]]:
        """Return how many streams are open on this node, and `limit` of them, those that are furthest behind first.

        Raises:
            Forbidden: the caller has no grant `admin` on all boards.
        """
        check_everywhere(caller, Action.ADMIN)
        return open_streams(self._node, limit)

    async def state(self, caller: Caller, board_id: BoardId) -> Envelope | None:
        """Return the state of a watched board, once its view has its whole log; None if it is not watched, or gone.

        Raises:
            StoreUnavailable: the log cannot be read.
        """
        if not caller.may(Action.READ, board_id):
            return None
        await streams.repaired(self._node, board_id)
        return streams.state_of(self._node, board_id)


def has_heartbeats(options: StreamOptions) -> bool:
    """Return whether a stream with these options has its own heartbeats."""
    return options.delivery in CHECKED


async def _refused(refusal: Callable[[], Refused]) -> AsyncGenerator[Batch, None]:
    """Return a stream that raises a refusal when it is first iterated, like the stream of an unknown board."""
    batches: tuple[Batch, ...] = ()
    for batch in batches:
        yield batch
    raise refusal()  # no name here may refer to it: its traceback refers to this frame
