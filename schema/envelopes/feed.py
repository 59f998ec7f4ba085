"""The members of `boardEvents` and `dashboardEvents`: one type for each envelope of the raw streams.

Fields with one name have one type in all members, because GraphQL refuses a document whose fragments give one name two
types. So `attemptId` and `cardId` may be null everywhere. Times are texts, as in the payloads. `mapping` makes the
members from envelopes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from realtime import ports
from realtime.dashboard import model
from realtime.kanban import conversation, events
from realtime.kanban.ids import AttemptId, BoardId
from schema.execution.context import Info
from schema.types.attempts import Attempt, TodoList
from schema.types.conversation import ConversationItem
from schema.types.dashboard import DashboardOverview
from schema.types.enums import AttemptStatus, InterruptionReason, LogLevel, ProfileChange
from schema.types.fields import resolved
from schema.types.objects import BoardState
from schema.types.scalars import SafeInt

__all__ = [
    "AgentProfile",
    "AgentRegistered",
    "AttemptLog",
    "AttemptPullRequest",
    "AttemptSession",
    "AttemptStarted",
    "AttemptStatusChanged",
    "AttemptTodos",
    "BoardEvent",
    "ConversationItemAppended",
    "DashboardEvent",
    "Gap",
    "GitCommit",
    "GitPush",
    "GitStatus",
    "Goodbye",
    "Hello",
    "Overview",
    "PullRequest",
    "State",
]


@strawberry.type
class _Event:
    """Fields of all events; no type of the schema."""

    cursor: str | None = strawberry.field(
        description="The position after this event, the same string on all exits; null on `Gap` and `Goodbye`."
    )


@strawberry.type
class OfAttempt(_Event):
    """Fields of all events of attempts; no type of the schema."""

    #: The board of the stream and of the attempt.
    board_id: strawberry.Private[BoardId] = BoardId("")
    attempt_id: strawberry.ID | None = strawberry.field(
        description="Id of the attempt; null only on commits, pushes and pull requests without an attempt."
    )

    @resolved("The attempt as it is stored when the event is shown; null when it is not known.", Attempt | None)
    async def attempt(self, info: Info) -> ports.Attempt | None:
        """Load the attempt."""
        if not self.attempt_id:
            return None
        return await info.context.loaders.attempt.load((self.board_id, AttemptId(self.attempt_id)))


@strawberry.type(description="The first event of every stream.")
class Hello(_Event):
    """`hello`."""

    server_time: str = strawberry.field(graphql_type=datetime, description="The server's clock.")
    heartbeat_seconds: float = strawberry.field(
        description="Seconds between two heartbeats on the raw event stream of this server."
    )


@strawberry.type(description="The board's state: the second event of a stream, then one after each change.")
class State(_Event):
    """`state`."""

    state: BoardState = strawberry.field(description="All columns and cards.")


@strawberry.type(description="The dashboard's figures: the second event of a stream, then one after each change.")
class Overview(_Event):
    """`dashboard_overview`."""

    overview: model.DashboardOverview = strawberry.field(
        graphql_type=DashboardOverview, description="Everything the dashboard shows."
    )


@strawberry.type(description="A runner began an attempt.")
class AttemptStarted(OfAttempt):
    """`attempt_started`."""

    card_id: strawberry.ID | None = strawberry.field(description="The card that is worked on.")


@strawberry.type(
    description="The status of an attempt: once for every attempt after the client connects, then after each change."
)
class AttemptStatusChanged(OfAttempt):
    """`attempt_status`."""

    card_id: strawberry.ID | None = strawberry.field(description="The card; null when the attempt is not known.")
    status: AttemptStatus = strawberry.field(description="Its current status.")


@strawberry.type(description="A line of an attempt's log.")
class AttemptLog(OfAttempt):
    """`attempt_log`."""

    level: LogLevel = strawberry.field(description="How serious it is.")
    message: str = strawberry.field(description="The line.")
    ts: str | None = strawberry.field(
        graphql_type=datetime | None, description="When it was written; null when the sender gave no time."
    )


@strawberry.type(description="An item of an attempt's conversation.")
class ConversationItemAppended(OfAttempt):
    """`conversation_item`."""

    item: conversation.ConversationItem = strawberry.field(graphql_type=ConversationItem, description="The item.")


@strawberry.type(description="The agent's own session of an attempt is known.")
class AttemptSession(OfAttempt):
    """`attempt_session`."""

    session_id: strawberry.ID = strawberry.field(description="The agent's id of its session.")


@strawberry.type(description="The agent's todo list of an attempt is a new one.")
class AttemptTodos(OfAttempt):
    """`attempt_todos`."""

    todos: events.Todos = strawberry.field(graphql_type=TodoList, description="The whole new list.")


@strawberry.type(description="The working tree of the project's repository changed; nothing more is said.")
class GitStatus(_Event):
    """`git_status`."""


@strawberry.type(description="A commit was made; with an attempt, an `AttemptLog` goes before it.")
class GitCommit(OfAttempt):
    """`git_commit`."""

    short_sha: str = strawberry.field(description="The commit's abbreviated hash.")
    subject: str = strawberry.field(description="The first line of its message.")
    ts: str | None = strawberry.field(graphql_type=datetime | None, description="When it was made; always there.")


@strawberry.type(description="A branch was pushed; with an attempt, an `AttemptLog` goes before it.")
class GitPush(OfAttempt):
    """`git_push`."""

    remote: str = strawberry.field(description="Name of the remote, like `origin`.")
    branch: str = strawberry.field(description="Name of the branch.")
    ts: str | None = strawberry.field(graphql_type=datetime | None, description="When it was pushed; always there.")


@strawberry.type(description="A pull request, as GitHub shows it.")
class PullRequest:
    """The fields are read from `events.PullRequest`."""

    number: SafeInt = strawberry.field(description="Its number in the repository.")
    url: str = strawberry.field(description="Its address.")
    state: str = strawberry.field(description="GitHub's word for where it stands, like `open`.")
    draft: bool = strawberry.field(description="Whether it is a draft.")
    title: str | None = strawberry.field(description="Its title.")
    head_ref: str | None = strawberry.field(description="The branch it comes from.")
    base_ref: str | None = strawberry.field(description="The branch it goes to.")
    created_at: str | None = strawberry.field(description="When it was opened: UTC with milliseconds and `Z`.")
    updated_at: str | None = strawberry.field(description="When it last changed: UTC with milliseconds and `Z`.")
    merged: bool | None = strawberry.field(description="Whether it was merged; null when GitHub did not say.")


@strawberry.type(description="A pull request was opened.")
class AttemptPullRequest(OfAttempt):
    """`attempt_pr`."""

    pr: events.PullRequest = strawberry.field(graphql_type=PullRequest, description="The pull request.")


@strawberry.type(
    description="A profile of an agent was made, changed or deleted; every board and dashboard gets this event."
)
class AgentProfile(_Event):
    """`agent_profile`."""

    kind: ProfileChange = strawberry.field(description="What happened.")
    profile_id: strawberry.ID = strawberry.field(description="The profile.")
    agent: str = strawberry.field(description="Key of the agent, like `CODEX`.")
    label: str | None = strawberry.field(description="Its name for people, if it has one.")


@strawberry.type(description="An agent can be used; every board and dashboard gets this event.")
class AgentRegistered(_Event):
    """`agent_registered`."""

    agent: str = strawberry.field(description="Key of the agent, like `CODEX`.")
    label: str | None = strawberry.field(description="Its name for people, if it has one.")


@strawberry.type(
    description="Events that this stream could not deliver; a `State` follows, on the dashboard an `Overview`."
)
class Gap(_Event):
    """`gap`."""

    reason: InterruptionReason = strawberry.field(description="Why they could not be delivered.")
    from_: str | None = strawberry.field(name="from", description="The cursor after which the gap begins, if known.")
    to: str | None = strawberry.field(description="The cursor up to which it goes, if known.")


@strawberry.type(description="The last event of a stream that the server ends.")
class Goodbye(_Event):
    """`goodbye`."""

    reason: InterruptionReason = strawberry.field(description="Why it ends.")
    reconnect_after_ms: int = strawberry.field(
        description="Milliseconds to wait before a reconnect; jittered, so that not all clients reconnect at once."
    )


BoardEvent = Annotated[
    Hello
    | State
    | AttemptStarted
    | AttemptStatusChanged
    | AttemptLog
    | ConversationItemAppended
    | AttemptSession
    | AttemptTodos
    | GitStatus
    | GitCommit
    | GitPush
    | AttemptPullRequest
    | AgentProfile
    | AgentRegistered
    | Gap
    | Goodbye,
    strawberry.union("BoardEvent", description="Any event of a board's stream, in order."),
]

DashboardEvent = Annotated[
    Hello | Overview | AgentProfile | AgentRegistered | Gap | Goodbye,
    strawberry.union("DashboardEvent", description="Any event of the dashboard's stream, in order."),
]
