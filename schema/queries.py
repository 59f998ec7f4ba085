"""The queries: each reads the rows once and keeps nothing."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from realtime import ports
from realtime.dashboard import model
from realtime.kanban import models
from realtime.messages.channels import EVERYBODY, board_channel
from schema.access_tokens import AccessToken
from schema.execution.context import Info
from schema.execution.real_size import check_size
from schema.nodes import attempt_key, find_node, find_nodes
from schema.types.agents import Agent, agents_of
from schema.types.attempts import Attempt, AttemptConnection
from schema.types.dashboard import DashboardOverview
from schema.types.enums import AttemptStatus
from schema.types.event_log import EventConnection, read_events
from schema.types.fields import resolved
from schema.types.inputs import TimeRangeInput, time_range_of
from schema.types.node import BoardArgument, Node, ProjectArgument, board_of, card_of
from schema.types.objects import BoardState, Project, ProjectConnection
from schema.types.paging import DEFAULT_FIRST, AfterEntry, First, Stretch, checked_first

__all__ = ["Query"]

_argument = strawberry.argument


@strawberry.type(
    description="Single requests. An operation costs at most 50,000 (`--max-graphql-cost`), else it is refused "
    "with `COST_EXCEEDED`: a field costs 1, and a list multiplies what is inside it by its `first`, or by its "
    "`@listSize`. It takes at most 10 seconds (`--graphql-timeout-seconds`), else it ends with `TIMEOUT`."
)
class Query:
    """The root of queries."""

    @resolved("The state of a board as stored now; null when there is no such board.")
    async def board(self, info: Info, board_id: BoardArgument) -> BoardState | None:
        """Read the rows and not the view of a watched board, so that a client reads its own last write."""
        context = info.context
        found = await context.service.boards.stored(context.caller, board_of(board_id))
        if found is None:
            return None
        check_size(info, found.board.state)
        return BoardState.of(found, context.service.boards.epoch)

    @resolved("The thing that has this `id`; null when there is none.", Node | None)
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, _argument(description="The `id`; not an id of the wire.")]
    ) -> object:
        """Find a thing of any type by its global id, None if there is none that the caller may read."""
        return await find_node(info, id)

    @resolved(
        "The things that have these `id`s, in their order, as `node` finds them. Errors: `BAD_USER_INPUT`.",
        list[Node | None],
    )
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], _argument(description="The `id`s, at most 100.")]
    ) -> list[object | None]:
        """Find at most 100 things, in the order of `ids`; None for each that is not found."""
        return await find_nodes(info, ids)

    @resolved(
        "The projects, oldest first; each has one board. Errors: `BAD_USER_INPUT`, `INVALID_CURSOR`.", ProjectConnection
    )
    async def projects(self, info: Info, first: First = DEFAULT_FIRST, after: AfterEntry = None) -> Stretch:
        """Return a page of the projects."""
        found = await info.context.service.projects.all(info.context.caller)
        return Stretch.of_dated(EVERYBODY, found, checked_first(first), after)

    @resolved("A project; null when there is no such project.", Project | None)
    async def project(self, info: Info, project_id: ProjectArgument) -> models.Project | None:
        """Return a project, None if there is none that the caller may read."""
        return await info.context.service.projects.find(info.context.caller, board_of(project_id))

    @resolved(
        "An attempt; null when it is not known. Errors: `INVALID_PAYLOAD` when several boards have one of that id and "
        "the request names none of them.",
        Attempt | None,
    )
    async def attempt(
        self,
        info: Info,
        attempt_id: Annotated[strawberry.ID, _argument(description="The attempt: its `id`, or its `attemptId`.")],
        board_id: Annotated[
            strawberry.ID | None,
            _argument(description="Its board; needed beside an `attemptId` that several boards have."),
        ] = None,
    ) -> ports.Attempt | None:
        """Return one attempt."""
        attempt, board = await attempt_key(info.context, attempt_id, board_id)
        return await info.context.service.attempts.find(info.context.caller, attempt, board)

    @resolved(
        "The attempts of the cards of a board, newest created first; null when there is no such board. Errors: "
        "`BAD_USER_INPUT`, `INVALID_CURSOR`.",
        AttemptConnection | None,
    )
    async def attempts(
        self,
        info: Info,
        board_id: BoardArgument,
        card_id: Annotated[strawberry.ID | None, _argument(description="Only attempts of this card.")] = None,
        status: Annotated[
            list[AttemptStatus] | None, _argument(description="Only attempts with one of these statuses; default: all.")
        ] = None,
        first: First = DEFAULT_FIRST,
        after: AfterEntry = None,
    ) -> Stretch | None:
        """Return a page of the matching attempts."""
        service, caller, board = info.context.service, info.context.caller, board_of(board_id)
        found = await service.attempts.of_board(caller, board, *([] if card_id is None else [card_of(board, card_id)]))
        if not found and await service.projects.find(caller, board) is None:
            return None
        wanted: set[Any] | None = None if status is None else {one.value for one in status}
        matching = [attempt for attempt in found if wanted is None or attempt.status in wanted]
        return Stretch.of_dated(board_channel(board), matching, checked_first(first), after, newest_first=True)

    @resolved(
        "All access tokens without their secrets, oldest first. Needs the grant `admin` on all boards. "
        "Errors: `FORBIDDEN`."
    )
    async def access_tokens(self, info: Info) -> list[AccessToken]:
        """Return all access tokens."""
        return [AccessToken.of(one) for one in info.context.service.tokens.all(info.context.caller)]

    @resolved("The registered agents and their profiles, oldest first.")
    async def agents(self, info: Info) -> list[Agent]:
        """Return the registered agents with their profiles, oldest first."""
        return agents_of(*await info.context.service.dashboard.agents(info.context.caller))

    @resolved(
        "What happened on a board, oldest first: the log that streams replay. It begins with the oldest event that is "
        "still stored. Null when there is no such board. Errors: `BAD_USER_INPUT`, and when the log cannot continue "
        "from `after`: `INVALID_CURSOR`, `EPOCH_CHANGED`, `OTHER_BOARD`, and `HISTORY_EXPIRED` when the log has lost "
        "the events after it.",
        EventConnection | None,
    )
    async def events(
        self,
        info: Info,
        board_id: BoardArgument,
        after: Annotated[
            str | None,
            _argument(
                description="A cursor of this board, from any exit: return the events after it; default: all "
                "stored events."
            ),
        ] = None,
        first: First = DEFAULT_FIRST,
    ) -> Stretch | None:
        """Return a page of the log."""
        return await read_events(info.context, board_of(board_id), after, first)

    @resolved("The dashboard, computed now.", DashboardOverview)
    async def dashboard_overview(
        self,
        info: Info,
        time_range: Annotated[
            TimeRangeInput | None, _argument(description="The range; default: the last 7 days.")
        ] = None,
    ) -> model.DashboardOverview:
        """Compute the overview of a time range from the database."""
        return await info.context.service.dashboard.overview(info.context.caller, time_range_of(time_range))
