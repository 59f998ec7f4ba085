"""The queries: each reads the rows once and keeps nothing."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from realtime import ports
from realtime.dashboard import model
from realtime.errors import NotFound
from realtime.kanban import models
from realtime.kanban.ids import AttemptId, BoardId, CardId
from schema.execution.context import Info
from schema.execution.real_size import check_size
from schema.types.agents import Agent, agents_of
from schema.types.attempts import Attempt
from schema.types.dashboard import DashboardOverview
from schema.types.enums import AttemptStatus
from schema.types.event_log import EventConnection, read_events
from schema.types.fields import resolved
from schema.types.inputs import TimeRangeInput, time_range_of
from schema.types.objects import BoardState, Project
from schema.types.paging import DEFAULT_FIRST, First, Stretch

__all__ = ["Query"]

_argument = strawberry.argument
_BoardId = Annotated[strawberry.ID, _argument(description="Id of the board.")]


@strawberry.type(
    description="Single requests. An operation costs at most 50,000 (`--max-graphql-cost`), else it is refused "
    "with `COST_EXCEEDED`: a field costs 1, and a list multiplies what is inside it by its `first`, or by its "
    "`@listSize`. It takes at most 10 seconds (`--graphql-timeout-seconds`), else it ends with `TIMEOUT`."
)
class Query:
    """The root of queries."""

    @resolved("The state of a board as stored now; null when there is no such board.")
    async def board(self, info: Info, id: _BoardId) -> BoardState | None:
        """Read the rows and not the view of a watched board, so that a client reads its own last write."""
        context = info.context
        found = await context.service.boards.stored(context.caller, BoardId(id))
        if found is None:
            return None
        check_size(info, found.board.state)
        return BoardState.of(found, context.service.boards.epoch)

    @resolved("All projects, oldest first; each has one board.", list[Project])
    async def projects(self, info: Info) -> list[models.Project]:
        """Return all projects."""
        return await info.context.service.projects.all(info.context.caller)

    @resolved("A project; null when there is no such project.", Project | None)
    async def project(
        self, info: Info, id: Annotated[strawberry.ID, _argument(description="Id of the project and its board.")]
    ) -> models.Project | None:
        """Return one project."""
        return await info.context.service.projects.find(info.context.caller, BoardId(id))

    @resolved(
        "An attempt; null when it is not known. Errors: `INVALID_PAYLOAD` when several boards have one of that id and "
        "the request names none of them.",
        Attempt | None,
    )
    async def attempt(
        self,
        info: Info,
        id: Annotated[strawberry.ID, _argument(description="Id of the attempt; ids are unique on their board.")],
        board_id: Annotated[strawberry.ID | None, _argument(description="Its board; may be left out.")] = None,
    ) -> ports.Attempt | None:
        """Return one attempt."""
        return await info.context.service.attempts.find(info.context.caller, AttemptId(id), board_id)

    @resolved("The attempts of the cards of a board, newest created first. Errors: `BOARD_NOT_FOUND`.", list[Attempt])
    async def attempts(
        self,
        info: Info,
        board_id: _BoardId,
        card_id: Annotated[strawberry.ID | None, _argument(description="Only attempts of this card.")] = None,
        status: Annotated[
            list[AttemptStatus] | None, _argument(description="Only attempts with one of these statuses; default: all.")
        ] = None,
    ) -> list[ports.Attempt]:
        """Return the matching attempts."""
        service, caller, board = info.context.service, info.context.caller, BoardId(board_id)
        found = await service.attempts.of_board(caller, board, *([] if card_id is None else [CardId(card_id)]))
        if not found and await service.projects.find(caller, board) is None:
            raise NotFound("Board not found", "board_not_found")
        wanted: set[Any] | None = None if status is None else {one.value for one in status}
        return [attempt for attempt in found if wanted is None or attempt.status in wanted]

    @resolved("The registered agents and their profiles, oldest first.")
    async def agents(self, info: Info) -> list[Agent]:
        """Return all agents."""
        return agents_of(*await info.context.service.dashboard.agents(info.context.caller))

    @resolved(
        "What happened on a board, oldest first: the log that streams replay. It begins with the oldest event that is "
        "still stored. Errors: `BOARD_NOT_FOUND`, `BAD_USER_INPUT`, and when the log cannot continue from `after`: "
        "`INVALID_CURSOR`, `EPOCH_CHANGED`, `OTHER_BOARD`, and `HISTORY_EXPIRED` when the log has lost the events "
        "after it.",
        EventConnection,
    )
    async def events(
        self,
        info: Info,
        board_id: _BoardId,
        after: Annotated[
            str | None,
            _argument(
                description="A cursor of this board, from any exit: return the events after it; default: all "
                "stored events."
            ),
        ] = None,
        first: First = DEFAULT_FIRST,
    ) -> Stretch:
        """Return a page of the log."""
        return await read_events(info.context, BoardId(board_id), after, first)

    @resolved("The dashboard, computed now.", DashboardOverview)
    async def dashboard_overview(
        self,
        info: Info,
        time_range: Annotated[
            TimeRangeInput | None, _argument(description="The range; default: the last 7 days.")
        ] = None,
    ) -> model.DashboardOverview:
        """Compute the overview."""
        return await info.context.service.dashboard.overview(info.context.caller, time_range_of(time_range))
