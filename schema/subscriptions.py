"""The subscriptions: the streams of `realtime`, mapped. Nothing is delivered here that they do not yield.

Each stream is consumed inside `aclosing`, so that the hub forgets the reader however the subscription ends.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Annotated

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

__all__ = ["Subscription"]

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
        board = BoardId(board_id)
        source = _board_stream(info.context, board, _options(info.context))
        async with aclosing(_told(info.context, source, only="state")) as stream:
            async for envelope in stream:
                yield mapping.board_state(envelope, board)

    @subscribed(
        "Everything that happens on a board: `Hello`, `State`, where each attempt stands, then live. After the "
        "board was deleted it completes with `Goodbye`; else it ends with an error: `BOARD_NOT_FOUND`, "
        "`INVALID_CURSOR`, `SLOW_CONSUMER`. When the server ends the connection, `Goodbye` is the last event."
    )
    async def board_events(
        self, info: Info, board_id: _BoardId, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[BoardEvent, None]:
        """Yield every envelope of the board's stream."""
        board = BoardId(board_id)
        options = _options(info.context, after, slow, resumes=True)
        source = _board_stream(info.context, board, options)
        async with aclosing(_told(info.context, source, completing=BoardGone)) as stream:
            async for envelope in stream:
                yield mapping.board_event(envelope, board)

    @subscribed(
        "The board once, then each change of it by itself, to be applied to what the client has: `Hello`, `State`, "
        "then live. `Heartbeat` names cursor and hash of what the client has by then. What agents do is in "
        "`boardEvents`; this ends as that does."
    )
    async def board_changes(
        self, info: Info, board_id: _BoardId, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[BoardChange, None]:
        """Yield the changes of the board's stream."""
        board = BoardId(board_id)
        options = _options(info.context, after, slow, Delivery.CHANGES, resumes=True)
        source = _board_stream(info.context, board, options)
        async with aclosing(_told(info.context, source, without=LEFT_OUT, completing=BoardGone)) as stream:
            async for envelope in stream:
                yield board_change(envelope, board)

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
        source = _dashboard_stream(info.context, time_range_of(time_range), _options(info.context))
        async with aclosing(_told(info.context, source, only="dashboard_overview")) as stream:
            async for envelope in stream:
                yield mapping.dashboard_overview(envelope)

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
        source = _dashboard_stream(info.context, time_range_of(time_range), options)
        async with aclosing(_told(info.context, source)) as stream:
            async for envelope in stream:
                yield mapping.dashboard_event(envelope)


def _board_stream(context: Context, board: BoardId, options: StreamOptions) -> AsyncGenerator[Envelope, None]:
    node = context.node
    return board_stream(node, board, node.subscriber(context.account), options, lease=context.lease)


def _dashboard_stream(
    context: Context, time_range: TimeRange, options: StreamOptions
) -> AsyncGenerator[Envelope, None]:
    node = context.node
    return dashboard_stream(node, time_range, node.subscriber(context.account), options, lease=context.lease)


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
    source: AsyncGenerator[Envelope, None],
    *,
    only: str | None = None,
    without: Collection[str] = (),
    completing: type[StreamEnded] | tuple[()] = (),
) -> AsyncGenerator[Envelope, None]:
    """Yield the envelopes of a stream (of one type, or without some), their cursors left in the context; close it.

    Raises:
        GraphQLError: the server ended the stream, in another way than `completing`.
    """
    goodbye: Envelope | None = None
    try:
        async with aclosing(source) as stream:
            async for envelope in stream:
                goodbye = envelope if envelope.type == "goodbye" else None
                if only in (None, envelope.type) and envelope.type not in without:
                    context.account.counters.told(Batch((envelope,)))
                    context.cursor = envelope.cursor
                    yield envelope
    except completing:
        return  # `Goodbye` has said it
    except StreamEnded as ended:
        raise stream_ended(ended, goodbye) from ended
