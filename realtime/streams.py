"""The streams: async generators of envelopes that feed every exit, and nothing else does.

A stream yields hello, the snapshot, and then what happens, in order, without gap or repeat. It registers nothing
before it is first iterated, and forgets everything however it ends; consume it inside `contextlib.aclosing`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from realtime import envelopes
from realtime.channels import board_channel
from realtime.dashboard.time_range import TimeRange
from realtime.envelopes import Envelope
from realtime.errors import NotFound
from realtime.kanban.ids import BoardId
from realtime.node import Node
from realtime.position import Position
from realtime.subscriber import Subscriber

__all__ = ["board_stream", "dashboard_stream", "state_of"]


async def board_stream(
    node: Node, board_id: BoardId, subscriber: Subscriber | None = None, *, after: str | None = None
) -> AsyncGenerator[Envelope, None]:
    """Yield `hello`, `state`, one `attempt_status` per attempt (newest created first), then what happens.

    `subscriber` is the queue to read from; who gives one may put replies of its own into it (`state_of`).
    `after` is the cursor at which the reader stood before; when it misses something, a `gap` comes behind `hello`.

    Raises:
        NotFound: there is no such board; nothing was yielded.
        StoreUnavailable: the board could not be read; nothing was yielded.
        SubscriberTooSlow: the reader's queue was full; connect again.
        BoardGone: the board was deleted; `goodbye` was yielded before.
        Draining: the server stops; `goodbye` was yielded before.
    """
    live = subscriber if subscriber is not None else Subscriber(node.limits.queued_envelopes)
    async with node.views.watch(board_id) as view:
        # Deleted while this reader waited for the view: there is nothing to follow any more.
        if node.views.get(board_id) is not view:
            raise NotFound("Board not found", "board_not_found")
        # No await between this and the end of the snapshot's making: nothing can fall in between.
        with node.hub.subscribe(board_channel(board_id), live):
            position, board = view.position, view.board
            snapshot = [envelopes.state(board.state, position.cursor)]
            snapshot += (
                envelopes.attempt_status(attempt.id, attempt.card_id, attempt.status, position.cursor)
                for attempt in board.newest_attempts()
            )
            yield envelopes.hello(node.clock(), position, node.limits.heartbeat_seconds)
            for envelope in (*_gap(after, position), *snapshot):
                yield envelope
            while True:
                yield await live.get()


async def dashboard_stream(
    node: Node, time_range: TimeRange, subscriber: Subscriber | None = None, *, after: str | None = None
) -> AsyncGenerator[Envelope, None]:
    """Yield `hello`, `dashboard_overview`, then a new overview whenever there is one, and agent events.

    `subscriber` and `after` as in `board_stream`.

    Raises:
        StoreUnavailable: the overview could not be computed; nothing was yielded.
        SubscriberTooSlow: the reader's queue was full; connect again.
        Draining: the server stops; `goodbye` was yielded before.
    """
    live = subscriber if subscriber is not None else Subscriber(node.limits.queued_envelopes)
    async with node.dashboard.watch(time_range) as channel:
        with node.hub.subscribe(channel, live):
            position = node.dashboard.position
            first = await node.dashboard.envelope(time_range)
            yield envelopes.hello(node.clock(), position, node.limits.heartbeat_seconds)
            # Under the position of the registration: agent events since then wait in the queue, behind the overview.
            for envelope in (*_gap(after, position), first.stamped(position.cursor)):
                yield envelope
            while True:
                yield await live.get()


def state_of(node: Node, board_id: BoardId) -> Envelope | None:
    """Return the state of a watched board as of now, None when it is not watched (or gone)."""
    view = node.views.get(board_id)
    return envelopes.state(view.board.state, view.position.cursor) if view else None


def _gap(after: str | None, position: Position) -> list[Envelope]:
    reason = None if after is None else position.gap_since(after)
    return [envelopes.gap(reason, after, position)] if after is not None and reason is not None else []
