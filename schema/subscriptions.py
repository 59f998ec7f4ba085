"""The subscriptions: each selects a stream of `realtime` and the events that it shows of that stream.

The resolvers make a `Source`; `schema.execution.running` reads it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Annotated, Any

import strawberry

from realtime.dashboard import model
from realtime.dashboard.time_range import TimeRange
from realtime.errors import BoardGone, Refused, StreamEnded
from realtime.fanout.subscriber import Subscriber
from realtime.kanban.ids import BoardId
from realtime.messages.options import Delivery, StreamOptions
from realtime.messages.payloads import Overview, State
from realtime.messages.position import InvalidCursor, parse_cursor
from schema.envelopes import mapping
from schema.envelopes.feed import AttemptEvent, BoardChange, BoardEvent, DashboardEvent
from schema.execution.context import Context, Info
from schema.execution.direct_writer import DirectResultWriter
from schema.execution.event_selector import EventSelector, Source
from schema.types import enums
from schema.types.dashboard import DashboardOverview
from schema.types.enums import SlowPolicy
from schema.types.fields import subscribed
from schema.types.inputs import TimeRangeInput, time_range_of
from schema.types.node import BoardArgument, attempt_of, board_of
from schema.types.objects import BoardState

__all__ = ["Subscription"]

_NOTHING: tuple[Any, ...] = ()
_argument = strawberry.argument
_TimeRange = Annotated[TimeRangeInput | None, _argument(description="The range; default: the last 7 days.")]
_AttemptId = Annotated[strawberry.ID, _argument(description="The attempt: its `id` or its `attemptId`.")]
_OnlyAttempt = Annotated[
    strawberry.ID | None,
    _argument(description="Leave out the events of all attempts but this one; its `id` or its `attemptId`."),
]
_Delivery = Annotated[
    enums.Delivery, _argument(description="How changes of the board come: as its new `State`, or each one by itself.")
]
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
    def board_state(self, info: Info, board_id: BoardArgument) -> AsyncGenerator[BoardState, None]:
        """Leave a source of the board's states."""

        async def find() -> Source:
            selector = EventSelector(mapping.board_state, board_of(board_id), types=frozenset({State.type}))
            return _board(info.context, selector, _options(info.context))

        return _left(info.context, find)

    @subscribed(
        "Everything that happens on a board: `Hello`, `State`, the status of each attempt, then live events. After the "
        "board was deleted it completes with `Goodbye`; else it ends with an error: `BOARD_NOT_FOUND`, "
        "`INVALID_CURSOR`, `SLOW_CONSUMER`. When the server ends the connection, `Goodbye` is the last event."
    )
    def board_events(
        self,
        info: Info,
        board_id: BoardArgument,
        delivery: _Delivery = enums.Delivery.STATE,
        attempt_id: _OnlyAttempt = None,
        after: _After = None,
        slow: _Slow = None,
    ) -> AsyncGenerator[BoardEvent, None]:
        """Leave a source of every envelope of the board."""

        async def find() -> Source:
            board = board_of(board_id)
            # A commit without an attempt is an event of the board.
            attempts = None if attempt_id is None else frozenset({str(attempt_of(board, attempt_id)), ""})
            selector = EventSelector(mapping.board_event, board, attempts=attempts)
            return await _events(info.context, selector, after, slow, Delivery(str(delivery.value)))

        return _left(info.context, find)

    @subscribed(
        "`boardEvents` in the delivery `CHANGES`, without the events of attempts, commits and agents: the board once, "
        "then each single change, which the client applies to its copy. Both subscriptions end alike."
    )
    def board_changes(
        self, info: Info, board_id: BoardArgument, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[BoardChange, None]:
        """Leave a source of the board's changes."""

        async def find() -> Source:
            selector = EventSelector(mapping.board_event, board_of(board_id), types=mapping.BOARD_CHANGE_TYPES)
            return await _events(info.context, selector, after, slow, Delivery.CHANGES)

        return _left(info.context, find)

    @subscribed(
        "Everything that happens in one attempt: `Hello`, its status, then live events. It is `boardEvents` without "
        "all others, and ends alike. An attempt that the board does not know ends it with `ATTEMPT_NOT_FOUND`."
    )
    def attempt_events(
        self, info: Info, board_id: BoardArgument, attempt_id: _AttemptId, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[AttemptEvent, None]:
        """Leave a source of the envelopes of an attempt."""

        async def find() -> Source:
            board = board_of(board_id)
            attempt = attempt_of(board, attempt_id)
            await info.context.service.attempts.check(info.context.caller, board, attempt)
            types, attempts = mapping.ATTEMPT_EVENT_TYPES, frozenset({str(attempt)})
            selector = EventSelector(mapping.board_event, board, types=types, attempts=attempts)
            return await _events(info.context, selector, after, slow)

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
        selector = EventSelector(mapping.dashboard_overview, None, types=frozenset({Overview.type}))

        async def find() -> Source:
            return _dashboard(info.context, selector, time_range_of(time_range), _options(info.context))

        return _left(info.context, find)

    @subscribed(
        "Everything on the dashboard: `Hello`, `Overview`, then each new overview (as "
        "`dashboardOverview`) and the changes of agents and profiles. Ends with an error: `BAD_USER_INPUT`, "
        "`INVALID_CURSOR`, `SLOW_CONSUMER`. When the server ends the connection, `Goodbye` is the last event."
    )
    def dashboard_events(
        self, info: Info, time_range: _TimeRange = None, after: _After = None, slow: _Slow = None
    ) -> AsyncGenerator[DashboardEvent, None]:
        """Leave a source of every envelope of the dashboard."""

        async def find() -> Source:
            options = _options(info.context, after, slow, resumes=True)
            return _dashboard(
                info.context, EventSelector(mapping.dashboard_event, None), time_range_of(time_range), options
            )

        return _left(info.context, find)


async def _left(context: Context, find: Callable[[], Awaitable[Source]]) -> AsyncGenerator[Any, None]:
    """Yield nothing, and leave the source in `context`.

    `find` runs in this generator: otherwise graphql-core would report an error of it as the error of a field.
    """
    context.source = await find()
    for event in _NOTHING:
        yield event


async def _events(
    context: Context,
    selector: EventSelector,
    after: str | None,
    slow: SlowPolicy | None,
    delivery: Delivery = Delivery.STATE,
) -> Source:
    """Return the source of a subscription that resumes, and completes when its board is deleted.

    Raises:
        NotFound: there is no such board. That comes before other mistakes, as in `Query.events`.
        PolicyNotAllowed, Refused: see `_options`.
    """
    try:
        options = _options(context, after, slow, delivery, resumes=True)
    except Refused:
        await context.service.boards.check(context.caller, _board_of(selector))
        raise
    return _board(context, selector, options, completing=BoardGone)


def _board(
    context: Context, selector: EventSelector, options: StreamOptions, *, completing: type[StreamEnded] | tuple[()] = ()
) -> Source:
    board, subscriber, lifetime = _board_of(selector), _subscriber(context), context.lifetime
    batches = context.service.streams.board(
        context.caller, board, subscriber, options, lifetime=lifetime, one_by_one=True
    )
    return Source(selector, batches, completing)


def _board_of(selector: EventSelector) -> BoardId:
    if selector.board is None:
        raise ValueError(f"expected the board of {selector}")
    return selector.board


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
