"""The queries: one look at the rows, nothing kept."""

from __future__ import annotations

from typing import Annotated

import strawberry

from realtime.channels import board_channel
from realtime.dashboard import model
from realtime.kanban import models
from realtime.kanban.ids import BoardId
from realtime.position import Position, channel_tag
from schema.context import Info
from schema.dashboard import DashboardOverview
from schema.fields import resolved
from schema.inputs import TimeRangeInput, time_range_of
from schema.objects import BoardState, Project

__all__ = ["Query"]


@strawberry.type(description="What can be asked once.")
class Query:
    """The root of queries."""

    @resolved("The state of a board as stored now; null when there is no such board.")
    async def board(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Id of the board.")]
    ) -> BoardState | None:
        """Return the rows, not the view of a watched board: a client reads what it has just written."""
        store = info.context.node.store
        found = await store.board(BoardId(id))
        if found is None:
            return None
        tag = channel_tag(board_channel(found.board.id))
        position = Position(store.epoch, tag, found.offset, found.global_offset)
        return BoardState(state=found.board.state, cursor=position.cursor)

    @resolved("All projects, oldest first; each has one board.", list[Project])
    async def projects(self, info: Info) -> list[models.Project]:
        """Return all projects."""
        return await info.context.node.store.projects()

    @resolved("The dashboard, computed now.", DashboardOverview)
    async def dashboard_overview(
        self,
        info: Info,
        time_range: Annotated[
            TimeRangeInput | None, strawberry.argument(description="The range; the last 7 days when it is left out.")
        ] = None,
    ) -> model.DashboardOverview:
        """Compute the overview."""
        return await info.context.node.dashboard.overview(time_range_of(time_range))
