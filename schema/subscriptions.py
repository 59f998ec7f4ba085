"""The subscriptions: the streams of `realtime`, mapped. Nothing is delivered here that they do not yield.

Each stream is consumed inside `aclosing`, so that the hub forgets the reader however the subscription ends.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

import strawberry

from realtime.batches import Batch
from realtime.dashboard import model
from realtime.dashboard.time_range import TimeRange
from realtime.envelopes import Envelope
from realtime.errors import BoardGone, Refused, StreamEnded
from realtime.kanban.ids import BoardId
from realtime.options import Delivery, StreamOptions
from realtime.position import InvalidCursor, parse_cursor
from realtime.streams import board_stream, dashboard_stream
from realtime.subscriber import Subscriber
from schema import mapping
from schema.board_changes import BoardChange
from schema.change_mapping import LEFT_OUT, board_change
from schema.context import Context, Info
from schema.dashboard import DashboardOverview
from schema.enums import SlowPolicy
from schema.errors import stream_ended
from schema.feed import BoardEvent, DashboardEvent
from schema.fields import subscribed
from schema.inputs import TimeRangeInput, time_range_of
from schema.objects import BoardState
from schema.outlet import ResultOutlet
from schema.telling import Telling

__all__ = ["Subscription"]

#: The ending that `Goodbye` has told already, so that no error needs to.
_Completing = type[StreamEnded] | tuple[()]
_argument = strawberry.argument
_BoardId = Annotated[strawberry.ID, _argument(description="Id of the board.")]
_TimeRange = Annotated[TimeRangeInput | None, _argument(description="The range; the last 7 days when it is left out.")]
_After = Annotated[
    str | None,
    _argument(
        description="The cursor at which the reader stood before, from any exit: the stream goes on behind it, or says "
        "with `Gap` why it cannot. What is no cursor at all ends it with `INVALID_CURSOR`."
    ),
]
_Slow = Annotated[
    SlowPolicy | None,
    _argument(description="What to do when this reader is too slow; left out, what the server does as a rule."),
]


@strawberry.type(description="What is told as it happens.")
class Subscription:
    """The root of subscriptions."""

    @subscribed(
        "The board now, then its newest state after each change. Ends with an error: `BOARD_NOT_FOUND`, "
        "`BOARD_DELETED`, `SLOW_CONSUMER`; `SERVER_SHUTDOWN` and `CONNECTION_LIFETIME` where the connection's own end "
        "does not tell it."
    )
    async def board_state(self, info: Info, board_id: _BoardId) -> AsyncGenerator[BoardState, None]:
        """Yield the states of the board's stream."""
        telling = Telling(mapping.board_state, BoardId(board_id), only="state")
        async with aclosing(_board_events(info.context, telling, _options(info.context))) as events:
            async for event in events:
                yield event

    @subscribed(
        "Everything that happens on a board: `Hello`, `State`, where each attempt stands, then live. After the "
        "board was deleted it completes with `Goodbye`; else it ends with an error: `BOARD_NOT_FOUND`, "
        "`INVALID_CURSOR`, `SLOW_CONSUMER`. When the server ends the connection, `Goodbye` is the last event."
    )
    async def board_events(
        self, info: Info, board_id: _BoardId, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[BoardEvent, None]:
        """Yield every envelope of the board's stream."""
        telling = Telling(mapping.board_event, BoardId(board_id))
        options = _options(info.context, after, slow, resumes=True)
        async with aclosing(_board_events(info.context, telling, options, completing=BoardGone)) as events:
            async for event in events:
                yield event

    @subscribed(
        "The board once, then each change of it by itself, to be applied to what the client has: `Hello`, `State`, "
        "then live. `Heartbeat` names cursor and hash of what the client has by then. What agents do is in "
        "`boardEvents`; this ends as that does."
    )
    async def board_changes(
        self, info: Info, board_id: _BoardId, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[BoardChange, None]:
        """Yield the changes of the board's stream."""
        telling = Telling(board_change, BoardId(board_id), without=LEFT_OUT)
        options = _options(info.context, after, slow, Delivery.CHANGES, resumes=True)
        async with aclosing(_board_events(info.context, telling, options, completing=BoardGone)) as events:
            async for event in events:
                yield event

    @subscribed(
        (
            "The dashboard now, then whenever it changes: 150 ms after the first change that follows the one before, "
            "and every 15 seconds when time alone has changed it. Ends with an error: `SLOW_CONSUMER`; "
            "`SERVER_SHUTDOWN` and `CONNECTION_LIFETIME` where the connection's own end does not tell it."
        ),
        DashboardOverview,
    )
    async def dashboard_overview(
        self, info: Info, time_range: _TimeRange = None
    ) -> AsyncGenerator[model.DashboardOverview, None]:
        """Yield the overviews of the dashboard's stream."""
        telling = Telling(mapping.dashboard_overview, None, only="dashboard_overview")
        source = _dashboard_events(info.context, telling, time_range_of(time_range), _options(info.context))
        async with aclosing(source) as events:
            async for event in events:
                yield event

    @subscribed(
        "Everything on the dashboard: `Hello`, `Overview`, then a new overview when there is one (as "
        "`dashboardOverview`) and what happens to agents and profiles. Ends with an error: `BAD_USER_INPUT`, "
        "`INVALID_CURSOR`, `SLOW_CONSUMER`. When the server ends the connection, `Goodbye` is the last event."
    )
    async def dashboard_events(
        self, info: Info, time_range: _TimeRange = None, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[DashboardEvent, None]:
        """Yield every envelope of the dashboard's stream."""
        options = _options(info.context, after, slow, resumes=True)
        telling = Telling(mapping.dashboard_event, None)
        source = _dashboard_events(info.context, telling, time_range_of(time_range), options)
        async with aclosing(source) as events:
            async for event in events:
                yield event


def _board_events(
    context: Context, telling: Telling, options: StreamOptions, *, completing: _Completing = ()
) -> AsyncGenerator[Any, None]:
    if telling.board is None:
        raise ValueError(f"expected the board of {telling}")
    reader = _reader(context, telling)
    source = board_stream(context.node, telling.board, reader, options, lease=context.lease)
    return _told(context, telling, source, completing)


def _dashboard_events(
    context: Context, telling: Telling, time_range: TimeRange, options: StreamOptions
) -> AsyncGenerator[Any, None]:
    reader = _reader(context, telling)
    return _told(context, telling, dashboard_stream(context.node, time_range, reader, options, lease=context.lease))


def _reader(context: Context, telling: Telling) -> Subscriber:
    reader = context.node.subscriber(context.account)
    context.telling = telling
    if context.write_nowait is not None:
        reader.outlet = ResultOutlet(context, context.write_nowait)
    return reader


def _options(
    context: Context,
    after: str | None = None,
    slow: SlowPolicy | None = None,
    delivery: Delivery = Delivery.STATE,
    *,
    resumes: bool = False,
) -> StreamOptions:
    """Return what the reader asks for: by the arguments, else what the transport knows, if it `resumes`.

    Raises:
        PolicyNotAllowed: not on this server.
        Refused: `invalid_cursor`, the argument is none. (One of the transport's is answered with a `gap`: who only
            repeats what it was given could do nothing about an error.)
    """
    policy = context.node.limits.slow_policy(None if slow is None else str(slow.value))
    if after is not None:
        try:
            parse_cursor(after)
        except InvalidCursor as error:
            raise Refused(str(error), "invalid_cursor") from None
    at = after if after is not None else context.after
    return StreamOptions(at if resumes else None, delivery, policy)


async def _told(
    context: Context,
    telling: Telling,
    source: AsyncGenerator[Envelope, None],
    completing: _Completing = (),
) -> AsyncGenerator[Any, None]:
    """Yield the events of a stream that are told, each with its envelope and cursor left in the context; close it.

    Raises:
        GraphQLError: the server ended the stream, in another way than `completing`.
    """
    goodbye: Envelope | None = None
    try:
        async with aclosing(source) as stream:
            async for envelope in stream:
                goodbye = envelope if envelope.type == "goodbye" else None
                if telling.tells(envelope):
                    context.account.counters.told(Batch((envelope,)))
                    context.envelope, context.cursor = envelope, envelope.cursor
                    yield telling.event_of(envelope)
                    context.envelope = None
                del envelope  # who sleeps holds on to none
    except completing:
        return  # `Goodbye` has said it
    except StreamEnded as ended:
        raise stream_ended(ended, goodbye) from ended
