"""The event log of a board as GraphQL shows it, with the same cursors as the streams."""

from __future__ import annotations

from datetime import datetime

import strawberry

from realtime import ports
from realtime.errors import NotFound
from realtime.kanban.ids import BoardId
from schema.execution.context import Context
from schema.types.paging import Edge, PageInfo, Stretch, checked_first
from schema.types.positions import StreamEvent
from schema.types.scalars import JSON

__all__ = ["EventConnection", "LoggedEvent", "read_events"]


@strawberry.type(description="An event in the log of a board.")
class LoggedEvent(StreamEvent):
    """An event with its cursor."""

    name: str = strawberry.field(
        description="What happened: a dotted name like `attempt.started`, also one that this version does not know."
    )
    at: datetime = strawberry.field(description="When it happened, by the sender's clock, else by the server's.")
    payload: JSON = strawberry.field(
        description="The fields of the event, unchanged, which may include unknown fields; an object."
    )


@strawberry.type(description="An event in the log, with its place.")
class EventEdge:
    """The fields are read from an `Edge`."""

    cursor: str = strawberry.field(description="The position of the event, for `after`.")
    node: LoggedEvent = strawberry.field(description="The event.")


@strawberry.type(description="A page of a board's log, oldest event first.")
class EventConnection:
    """The fields are read from a `Stretch`."""

    edges: list[Edge] = strawberry.field(graphql_type=list[EventEdge], description="The events with their places.")
    nodes: list[LoggedEvent] = strawberry.field(description="The events.")
    page_info: PageInfo = strawberry.field(
        description="How to continue: with the next page, and after the last page with `boardEvents(after: endCursor)`."
    )


async def read_events(context: Context, board_id: BoardId, after: str | None, first: int | None) -> Stretch | None:
    """Return a page of a board's log, None if there is no such board.

    Raises:
        InvalidPage: `first` is out of bounds.
        Refused: see `Events.page`.
    """
    length = checked_first(first)
    try:
        page = await context.service.events.page(context.caller, board_id, after, length)
    except NotFound:
        return None
    return Stretch.of((_edge(cursor, event) for _, (cursor, event) in page.entries), page.more, after)


def _edge(cursor: str, event: ports.LoggedEvent) -> Edge:
    return Edge(cursor, LoggedEvent(name=event.name, at=event.at, cursor=cursor, payload=JSON(event.payload)))
