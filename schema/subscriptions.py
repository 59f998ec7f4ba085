"""The subscriptions: each selects a stream of `realtime` and the events that it shows of that stream.

The resolvers make a `Source`; `schema.execution.running` reads it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Annotated, Any

import strawberry

from realtime.dashboard import model
from realtime.dashboard.time_range import TimeRange
from realtime.errors import BoardGone, Refused, StreamEnded
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.ids import BoardId
from realtime.messages.options import Delivery, StreamOptions
from realtime.messages.position import InvalidCursor, parse_cursor
from schema.envelopes import mapping
from schema.envelopes.board_changes import BoardChange
from schema.envelopes.change_mapping import LEFT_OUT, board_change
from schema.envelopes.feed import BoardEvent, DashboardEvent
from schema.execution.context import Context, Info
from schema.execution.direct_writer import DirectResultWriter
from schema.execution.event_selector import EventSelector, Source
from schema.types.dashboard import DashboardOverview
from schema.types.enums import SlowPolicy
from schema.types.fields import subscribed
from schema.types.inputs import TimeRangeInput, time_range_of
from schema.types.objects import BoardState

__all__ = ["Subscription"]

_NOTHING: tuple[Any, ...] = ()
_argument = strawberry.argument
_BoardId = Annotated[strawberry.ID, _argument(description="Id of the board.")]
_TimeRange = Annotated[TimeRangeInput | None, _argument(description="The range; default: the last 7 days.")]
_After = Annotated[
    str | None,
    _argument(
        description="The last cursor that the client has got, from any exit: the stream continues after it, or sends a "
        "`Gap` with the reason. A text that is no cursor ends the stream with `INVALID_CURSOR`."
    ),
]
_Slow = Annotated[
    SlowPolicy | None,
    _argument(description="What to do when this subscriber is too slow; default: the policy of the server."),
]


@strawberry.type(
    description="Streams of events. The limits of cost and time for a query hold for each event. A "
    "subscription ends with `TOO_EXPENSIVE` when one event takes longer, or when its events take more than a tenth of "
    "the server's time for a minute."
)
class Subscription:
    """The root of subscriptions."""

    @subscribed(
        "The board now, then its newest state after each change. Ends with an error: `BOARD_NOT_FOUND`, "
        "`BOARD_DELETED`, `SLOW_CONSUMER`; `SERVER_SHUTDOWN` and `CONNECTION_LIFETIME` if the transport cannot give "
        "the reason when it ends the connection."
    )
    def board_state(self, info: Info, board_id: _BoardId) -> AsyncGenerator[BoardState, None]:
        """Leave a source of the board's states."""
        selector = EventSelector(mapping.board_state, BoardId(board_id), only="state")
        return _left(info.context, lambda: _board(info.context, selector, _options(info.context)))

    @subscribed(
        "Everything that happens on a board: `Hello`, `State`, the status of each attempt, then live events. After the "
        "board was deleted it completes with `Goodbye`; else it ends with an error: `BOARD_NOT_FOUND`, "
        "`INVALID_CURSOR`, `SLOW_CONSUMER`. When the server ends the connection, `Goodbye` is the last event."
    )
    def board_events(
        self, info: Info, board_id: _BoardId, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[BoardEvent, None]:
        """Leave a source of every envelope of the board."""

        def find() -> Source:
            options = _options(info.context, after, slow, resumes=True)
            selector = EventSelector(mapping.board_event, BoardId(board_id))
            return _board(info.context, selector, options, completing=BoardGone)

        return _left(info.context, find)

    @subscribed(
        "The board once, then each single change, which the client applies to its copy: `Hello`, `State`, "
        "then live changes. `Heartbeat` has the cursor and the hash of that copy. The actions of agents are in "
        "`boardEvents`; both subscriptions end alike."
    )
    def board_changes(
        self, info: Info, board_id: _BoardId, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[BoardChange, None]:
        """Leave a source of the board's changes."""

        def find() -> Source:
            options = _options(info.context, after, slow, Delivery.CHANGES, resumes=True)
            selector = EventSelector(board_change, BoardId(board_id), without=LEFT_OUT)
            return _board(info.context, selector, options, completing=BoardGone)

        return _left(info.context, find)

    @subscribed(
        (
            "The dashboard now, then after each change: 150 ms after the first change since the last overview, "
            "and every 15 seconds when only the time has changed it. Ends with an error: `SLOW_CONSUMER`; "
            "`SERVER_SHUTDOWN` and `CONNECTION_LIFETIME` if the transport cannot give the reason when it ends the "
            "connection."
        ),
        DashboardOverview,
    )
    def dashboard_overview(
        self, info: Info, time_range: _TimeRange = None
    ) -> AsyncGenerator[model.DashboardOverview, None]:
        """Leave a source of the dashboard's overviews."""
        selector = EventSelector(mapping.dashboard_overview, None, only="dashboard_overview")
        return _left(
            info.context,
            lambda: _dashboard(info.context, selector, time_range_of(time_range), _options(info.context)),
        )

    @subscribed(
        "Everything on the dashboard: `Hello`, `Overview`, then each new overview (as "
        "`dashboardOverview`) and the changes of agents and profiles. Ends with an error: `BAD_USER_INPUT`, "
        "`INVALID_CURSOR`, `SLOW_CONSUMER`. When the server ends the connection, `Goodbye` is the last event."
    )
    def dashboard_events(
        self, info: Info, time_range: _TimeRange = None, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[DashboardEvent, None]:
        """Leave a source of every envelope of the dashboard."""

        def find() -> Source:
            options = _options(info.context, after, slow, resumes=True)
            return _dashboard(
                info.context, EventSelector(mapping.dashboard_event, None), time_range_of(time_range), options
            )

        return _left(info.context, find)


async def _left(context: Context, find: Callable[[], Source]) -> AsyncGenerator[Any, None]:
    """Yield nothing, and leave the source in `context`.

    `find` runs in this generator: otherwise graphql-core would report an error of it as the error of a field.
    """
    context.source = find()
    for event in _NOTHING:
        yield event


def _board(
    context: Context, selector: EventSelector, options: StreamOptions, *, completing: type[StreamEnded] | tuple[()] = ()
) -> Source:
    if selector.board is None:
        raise ValueError(f"expected the board of {selector}")
    subscriber, lifetime = _subscriber(context), context.lifetime
    batches = context.service.streams.board(
        context.caller, selector.board, subscriber, options, lifetime=lifetime, one_by_one=True
    )
    return Source(selector, batches, completing)


def _dashboard(context: Context, selector: EventSelector, time_range: TimeRange, options: StreamOptions) -> Source:
    subscriber, lifetime = _subscriber(context), context.lifetime
    batches = context.service.streams.dashboard(
        context.caller, time_range, subscriber, options, lifetime=lifetime, one_by_one=True
    )
    return Source(selector, batches)


def _subscriber(context: Context) -> Subscriber:
    subscriber = context.service.streams.subscriber(context.metrics)
    if context.write_nowait is not None:
        subscriber.direct_writer = DirectResultWriter(context, context.write_nowait)
    return subscriber


def _options(
    context: Context,
    after: str | None = None,
    slow: SlowPolicy | None = None,
    delivery: Delivery = Delivery.STATE,
    *,
    resumes: bool = False,
) -> StreamOptions:
    """Return the options from the arguments; `resumes`: without an argument `after`, the transport's cursor counts.

    Raises:
        PolicyNotAllowed: this server does not allow the slow policy.
        Refused: `invalid_cursor`, the argument is no cursor. (An invalid cursor of the transport gives a `gap`: a
            client that only repeats the cursor of the server could not handle an error.)
    """
    policy = context.service.limits.slow_policy(None if slow is None else str(slow.value))
    if after is not None:
        try:
            parse_cursor(after)
        except InvalidCursor as error:
            raise Refused(str(error), "invalid_cursor") from None
    at = after if after is not None else context.after
    return StreamOptions(at if resumes else None, delivery, policy)
