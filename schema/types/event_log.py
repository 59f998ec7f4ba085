"""The log of a board as GraphQL shows it: what happened, under the cursors of the streams."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import strawberry

from realtime import ports
from realtime.errors import NotFound, Refused
from realtime.kanban.ids import BoardId
from realtime.messages.channels import Channel, board_channel
from realtime.messages.position import InvalidCursor, Position, channel_tag, parse_cursor
from realtime.ports import Store
from schema.types.paging import Edge, PageInfo, Stretch, checked_first
from schema.types.scalars import JSON

__all__ = ["EventConnection", "LoggedEvent", "read_events"]


@strawberry.type(description="An event in the log of a board.")
class LoggedEvent:
    """An event with its cursor."""

    name: str = strawberry.field(
        description="What happened: a dotted name like `attempt.started`, also one that this version does not know."
    )
    at: datetime = strawberry.field(description="When it happened, by the sender's clock, else by the server's.")
    cursor: str = strawberry.field(
        description="The position behind the event, the same string on all exits: give it to `boardEvents(after:)`."
    )
    payload: JSON = strawberry.field(
        description="The event's fields as they came, which may be others than this version knows; an object."
    )


@strawberry.type(description="An event in the log, with its place.")
class EventEdge:
    """Read off an `Edge`."""

    cursor: str = strawberry.field(description="The same as the event's `cursor`.")
    node: LoggedEvent = strawberry.field(description="The event.")


@strawberry.type(description="A page of a board's log, oldest event first.")
class EventConnection:
    """Read off a `Stretch`."""

    edges: list[Edge] = strawberry.field(graphql_type=list[EventEdge], description="The events with their places.")
    nodes: list[LoggedEvent] = strawberry.field(description="The events.")
    page_info: PageInfo = strawberry.field(
        description="How to go on: with the next page, and behind the last with `boardEvents(after: endCursor)`."
    )


async def read_events(store: Store, board_id: BoardId, after: str | None, first: int) -> Stretch:
    """Return a page of a board's log.

    Raises:
        InvalidPage: `first` is out of bounds.
        NotFound: there is no such board.
        Refused: nothing leads on from `after`: `invalid_cursor`, `epoch_changed`, `other_board`, `history_expired`.
    """
    checked_first(first)
    if await store.project(board_id) is None:
        raise NotFound("Board not found", "board_not_found")
    channel = board_channel(board_id)
    begin = _offset_of(after, store.epoch, channel)
    page = await store.event_page(channel, begin, first)
    if after is not None:
        await _check_reach(store, channel, begin, page)
    return Stretch.of(_edges(page, store.epoch, channel), page.more, after)


def _offset_of(after: str | None, epoch: str, channel: Channel) -> int:
    if after is None:
        return 0
    try:
        position = parse_cursor(after)
    except InvalidCursor as error:
        raise Refused(str(error), "invalid_cursor") from None
    if position.epoch != epoch:
        raise Refused("the log has begun anew since this cursor was handed out", "epoch_changed")
    if position.tag != channel_tag(channel):
        raise Refused("this cursor belongs to another board", "other_board")
    return position.offset


async def _check_reach(store: Store, channel: Channel, begin: int, page: ports.Page[ports.LoggedEvent]) -> None:
    """Make sure that `page` goes on where the cursor stands.

    Raises:
        Refused: the log begins later, or the cursor is ahead of it.
    """
    # An empty page may lie before the log as well as behind it: all of it may be gone.
    begins_later = page.entries[0][0] != begin + 1 if page.entries else begin < await store.pruned(channel)
    if begins_later:
        raise Refused("this cursor is older than what is kept of the log", "history_expired")
    if not page.entries and begin > await store.offset(channel):
        raise Refused("this cursor is ahead of the log", "invalid_cursor")


def _edges(page: ports.Page[ports.LoggedEvent], epoch: str, channel: Channel) -> Iterator[Edge]:
    tag = channel_tag(channel)
    for offset, event in page.entries:
        cursor = Position(epoch, tag, offset, event.global_offset).cursor
        yield Edge(cursor, LoggedEvent(name=event.name, at=event.at, cursor=cursor, payload=JSON(event.payload)))
