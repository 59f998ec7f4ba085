"""The subscriptions: the streams of `realtime`, mapped. Nothing is delivered here that they do not yield.

Each stream is consumed inside `aclosing`, so that the hub forgets the reader however the subscription ends.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from realtime.dashboard import model
from realtime.envelopes import Envelope
from realtime.errors import BoardGone, StreamEnded
from realtime.kanban.ids import BoardId
from realtime.streams import board_stream, dashboard_stream
from schema import mapping
from schema.context import Info
from schema.dashboard import DashboardOverview
from schema.errors import stream_ended
from schema.feed import BoardEvent
from schema.fields import subscribed
from schema.inputs import TimeRangeInput, time_range_of
from schema.objects import BoardState

__all__ = ["Subscription"]

_BoardIdArgument = Annotated[strawberry.ID, strawberry.argument(description="Id of the board.")]


@strawberry.type(description="What is told as it happens.")
class Subscription:
    """The root of subscriptions."""

    @subscribed(
        "The board now, then its newest state after each change. Ends with an error: `BOARD_NOT_FOUND`, "
        "`BOARD_DELETED`, `SLOW_CONSUMER`, `SERVER_SHUTDOWN`."
    )
    async def board_state(self, info: Info, board_id: _BoardIdArgument) -> AsyncGenerator[BoardState, None]:
        """Yield the states of the board's stream."""
        stream = board_stream(info.context.node, BoardId(board_id))
        async with aclosing(stream), aclosing(_only("state", stream)) as states:
            async for envelope in states:
                info.context.cursor = envelope.cursor
                yield mapping.board_state(envelope)

    @subscribed(
        "Everything that happens on a board: `Hello`, `State`, where each attempt stands, then live. After the "
        "board was deleted it completes with `Goodbye`; else it ends with an error: `BOARD_NOT_FOUND`, "
        "`SLOW_CONSUMER`, or `Goodbye` and `SERVER_SHUTDOWN`."
    )
    async def board_events(self, info: Info, board_id: _BoardIdArgument) -> AsyncGenerator[BoardEvent, None]:
        """Yield every envelope of the board's stream."""
        async with aclosing(board_stream(info.context.node, BoardId(board_id))) as stream:
            goodbye: Envelope | None = None
            try:
                async for envelope in stream:
                    goodbye = envelope if envelope.type == "goodbye" else None
                    info.context.cursor = envelope.cursor
                    yield mapping.board_event(envelope)
            except BoardGone:
                return  # `Goodbye` has said it
            except StreamEnded as ended:
                raise stream_ended(ended, goodbye) from ended

    @subscribed(
        (
            "The dashboard now, then whenever it changes: 150 ms after the first change that follows the one before, "
            "and every 15 seconds when time alone has changed it. Ends with an error: `SLOW_CONSUMER`, "
            "`SERVER_SHUTDOWN`."
        ),
        DashboardOverview,
    )
    async def dashboard_overview(
        self,
        info: Info,
        time_range: Annotated[
            TimeRangeInput | None, strawberry.argument(description="The range; the last 7 days when it is left out.")
        ] = None,
    ) -> AsyncGenerator[model.DashboardOverview, None]:
        """Yield the overviews of the dashboard's stream."""
        stream = dashboard_stream(info.context.node, time_range_of(time_range))
        async with aclosing(stream), aclosing(_only("dashboard_overview", stream)) as overviews:
            async for envelope in overviews:
                info.context.cursor = envelope.cursor
                yield mapping.dashboard_overview(envelope)


async def _only(type: str, stream: AsyncGenerator[Envelope, None]) -> AsyncGenerator[Envelope, None]:
    """Yield the envelopes of one type.

    Raises:
        GraphQLError: the server ended the stream; there is no event in which `goodbye` could say so.
    """
    goodbye: Envelope | None = None
    try:
        async for envelope in stream:
            goodbye = envelope if envelope.type == "goodbye" else None
            if envelope.type == type:
                yield envelope
    except StreamEnded as ended:
        raise stream_ended(ended, goodbye) from ended
