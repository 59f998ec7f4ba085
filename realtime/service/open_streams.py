"""The streams that are open on a node: how far each has come, and what waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter

from realtime.fanout.counters import Counters
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.ids import BoardId
from realtime.messages.channels import Channel, delivery_of
from realtime.messages.position import InvalidCursor, Position, parse_cursor
from realtime.node import Node

__all__ = ["MAX_EXAMINED", "OpenStream", "open_streams"]

#: Streams that are looked at: more would hold up all others for more than about 20 ms.
MAX_EXAMINED = 5_000


@dataclass(frozen=True, slots=True)
class OpenStream:
    """One stream at one moment."""

    #: Name of its exit, as in the metrics; empty for a stream without one.
    exit: str
    #: None = the dashboard.
    board_id: BoardId | None
    #: The delivery of a board's changes, or the time range of a dashboard.
    detail: str
    #: The cursor behind everything that its exit has taken.
    cursor: str
    #: Events of its log that its exit has not taken yet; 0 where that is not known.
    behind: int
    #: Envelopes that wait in its queue.
    queued: int
    #: Reason of its last gap, None if it had none.
    last_gap: str | None


def open_streams(node: Node, limit: int) -> tuple[int, list[OpenStream]]:
    """Return the number of open streams, and `limit` of them: those that are furthest behind first."""
    examined = islice(node.hub.subscribers(), MAX_EXAMINED)
    found = sorted(_described(node, examined), key=attrgetter("behind", "queued"), reverse=True)
    return node.hub.statistics().subscribers, found[:limit]


def _described(node: Node, subscribers: Iterable[tuple[Channel, Subscriber]]) -> Iterator[OpenStream]:
    exits = _exit_names(node.counters)
    for channel, subscriber in subscribers:
        board_id, detail = delivery_of(channel)
        yield OpenStream(
            exits.get(id(subscriber.metrics.counters), ""),
            board_id,
            detail,
            subscriber.cursor,
            _behind(_position(node, board_id), subscriber.cursor),
            len(subscriber),
            subscriber.last_gap,
        )


def _exit_names(counters: Counters) -> dict[int, str]:
    return {id(one): name for name, one in counters.exits.items()}


def _position(node: Node, board_id: BoardId | None) -> Position | None:
    if board_id is None:
        return node.dashboard.position
    view = node.views.get(board_id)
    return None if view is None else view.position


def _behind(now: Position | None, cursor: str) -> int:
    try:
        seen = parse_cursor(cursor)
    except InvalidCursor:  # the stream is opening
        return 0
    if now is None or (seen.epoch, seen.tag) != (now.epoch, now.tag):
        return 0
    return max(0, now.place.offset - seen.place.offset)
