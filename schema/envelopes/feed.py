"""The unions of the subscriptions, and their members: one type for each envelope of the raw streams.

Fields with one name have one type in all members, because GraphQL refuses a document whose fragments give one name two
types. So `attemptId` and `cardId` may be null everywhere. Times are texts, as in the payloads. `mapping` makes the
members from envelopes. `board_changes` has the changes of a board.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from realtime import ports
from realtime.clock import parse_iso
from realtime.dashboard import model
from realtime.kanban import conversation, events
from realtime.kanban.ids import AttemptId, BoardId
from realtime.messages.position import parse_cursor
from schema.envelopes.board_changes import (
    CardCreated,
    CardDeleted,
    CardMoved,
    CardUpdated,
    ColumnsChanged,
    Heartbeat,
)
from schema.execution.context import Info
from schema.types.attempts import Attempt, ConversationEdge, LogEdge, TodoList
from schema.types.conversation import ConversationItem
from schema.types.dashboard import DashboardOverview
from schema.types.enums import AttemptStatus, InterruptionReason, LogLevel, ProfileChange
from schema.types.fields import resolved
from schema.types.objects import BoardState
from schema.types.paging import Edge
from schema.types.positions import StreamEvent
from schema.types.scalars import SafeInt

__all__ = [
    "Access",
    "AgentProfileChanged",
    "AgentRegistered",
    "AttemptEvent",
    "AttemptLogAppended",
    "AttemptSessionRecorded",
    "AttemptStarted",
    "AttemptStatusChanged",
    "AttemptTodosUpdated",
    "BoardChange",
    "BoardEvent",
    "ConversationItemAppended",
    "DashboardEvent",
    "Gap",
    "GitCommitCreated",
    "GitPushCompleted",
    "GitStatusChanged",
    "Goodbye",
    "Hello",
    "Overview",
    "PullRequest",
    "PullRequestOpened",
    "State",
]


@strawberry.type
class OfAttempt(StreamEvent):
    """Fields of all events of attempts; no type of the schema."""

    #: The board of the stream and of the attempt.
    board_id: strawberry.Private[BoardId] = BoardId("")
    attempt_id: strawberry.ID | None = strawberry.field(
        description="Id of the attempt; null only on commits, pushes and pull requests without an attempt."
    )

    @resolved("The attempt as it is stored when the event is shown; null when it is not known.", Attempt | None)
    async def attempt(self, info: Info) -> ports.Attempt | None:
        """Load the attempt as stored now; None if the event names none, or an unknown one."""
        if not self.attempt_id:
            return None
        return await info.context.loaders.attempt.load((self.board_id, AttemptId(self.attempt_id)))


@strawberry.type(description="The first event of every stream.")
class Hello(StreamEvent):
    """`hello`."""

    server_time: str = strawberry.field(graphql_type=datetime, description="The server's clock.")
    heartbeat_seconds: float = strawberry.field(
        description="Seconds between two heartbeats on the raw event stream of this server."
    )


@strawberry.type(description="The board's state: the second event of a stream, then one after each change.")
class State(StreamEvent):
    """`state`."""

    state: BoardState = strawberry.field(description="All columns and cards.")


@strawberry.type(description="The dashboard's figures: the second event of a stream, then one after each change.")
class Overview(StreamEvent):
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


@strawberry.type(description="A line was written to an attempt's log.")
class AttemptLogAppended(OfAttempt):
    """`attempt_log`."""

    level: LogLevel = strawberry.field(description="How serious it is.")
    message: str = strawberry.field(description="The line.")
    ts: str | None = strawberry.field(
        graphql_type=datetime | None, description="When it was written; null when the sender gave no time."
    )
    #: See `payloads.AttemptLog.kept_at`.
    kept_at: strawberry.Private[datetime | None] = None

    @resolved(
        "The same edge as in `Attempt.logs`, so that a client appends it to its page; null if the line is only on the "
        "streams, as those about commits, pushes and stops.",
        LogEdge | None,
    )
    def edge(self) -> Edge | None:
        """Make the edge of the line."""
        if self.kept_at is None:
            return None
        at = parse_cursor(self.cursor)
        written = parse_iso(self.ts) if self.ts else self.kept_at
        attempt_id = AttemptId(self.attempt_id or "")
        line = ports.LogEntry(self.board_id, attempt_id, at.offset, written, str(self.level.value), self.message)
        return Edge(at.entries.at(at.offset), line)


@strawberry.type(description="An item came to an attempt's conversation.")
class ConversationItemAppended(OfAttempt):
    """`conversation_item`."""

    item: conversation.ConversationItem = strawberry.field(graphql_type=ConversationItem, description="The item.")

    @resolved(
        "The same edge as in `Attempt.conversation`, so that a client appends it to its page; never null.",
        ConversationEdge | None,
    )
    def edge(self) -> Edge | None:
        """Make the edge of the item."""
        at = parse_cursor(self.cursor)
        return Edge(at.entries.at(at.offset), self.item)


@strawberry.type(description="The id of the agent's own session of an attempt became known.")
class AttemptSessionRecorded(OfAttempt):
    """`attempt_session`."""

    session_id: strawberry.ID = strawberry.field(description="The agent's id of its session.")


@strawberry.type(description="The agent of an attempt has a new todo list.")
class AttemptTodosUpdated(OfAttempt):
    """`attempt_todos`."""

    todos: events.Todos = strawberry.field(graphql_type=TodoList, description="The whole new list.")


@strawberry.type(description="The working tree of the project's repository changed; nothing more is said.")
class GitStatusChanged(StreamEvent):
    """`git_status`."""


@strawberry.type(description="A commit was made; with an attempt, an `AttemptLogAppended` goes before it.")
class GitCommitCreated(OfAttempt):
    """`git_commit`."""

    short_sha: str = strawberry.field(description="The commit's abbreviated hash.")
    subject: str = strawberry.field(description="The first line of its message.")
    ts: str | None = strawberry.field(graphql_type=datetime | None, description="When it was made; always there.")


@strawberry.type(description="A branch was pushed; with an attempt, an `AttemptLogAppended` goes before it.")
class GitPushCompleted(OfAttempt):
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
    created_at: str | None = strawberry.field(graphql_type=datetime | None, description="When it was opened.")
    updated_at: str | None = strawberry.field(graphql_type=datetime | None, description="When it last changed.")
    merged: bool | None = strawberry.field(description="Whether it was merged; null when GitHub did not say.")


@strawberry.type(description="A pull request was opened.")
class PullRequestOpened(OfAttempt):
    """`attempt_pr`."""

    pr: events.PullRequest = strawberry.field(graphql_type=PullRequest, description="The pull request.")


@strawberry.type(
    description="A profile of an agent was made, changed or deleted; every board and dashboard gets this event."
)
class AgentProfileChanged(StreamEvent):
    """`agent_profile`."""

    kind: ProfileChange = strawberry.field(description="What happened.")
    profile_id: strawberry.ID = strawberry.field(description="The profile.")
    agent: str = strawberry.field(name="agentKey", description="Key of the agent, like `CODEX`.")
    label: str | None = strawberry.field(description="Its name for people, if it has one.")


@strawberry.type(description="An agent can be used; every board and dashboard gets this event.")
class AgentRegistered(StreamEvent):
    """`agent_registered`."""

    agent: str = strawberry.field(name="agentKey", description="Key of the agent, like `CODEX`.")
    label: str | None = strawberry.field(description="Its name for people, if it has one.")


@strawberry.type(
    description="Events that this stream could not deliver; a `State` follows, on the dashboard an `Overview`."
)
class Gap:
    """`gap`."""

    reason: InterruptionReason = strawberry.field(description="Why they could not be delivered.")
    from_: str | None = strawberry.field(name="from", description="The cursor after which the gap begins, if known.")
    to: str | None = strawberry.field(description="The cursor up to which it goes, if known.")


@strawberry.type(description="The last event of a stream that the server ends.")
class Goodbye:
    """`goodbye`."""

    reason: InterruptionReason = strawberry.field(description="Why it ends.")
    reconnect_after_ms: int = strawberry.field(
        description="Milliseconds to wait before a reconnect; jittered, so that not all clients reconnect at once."
    )


@strawberry.type(
    description="The token of this subscription expires soon. The event comes once, 60 s before the end; if less is "
    "left at the start, it comes behind the opening. The client sends a new token, or comes back with one."
)
class Access:
    """`access`."""

    expires_at: str = strawberry.field(graphql_type=datetime, description="When the token expires.")


BoardEvent = Annotated[
    Hello
    | State
    | CardCreated
    | CardUpdated
    | CardMoved
    | CardDeleted
    | ColumnsChanged
    | Heartbeat
    | AttemptStarted
    | AttemptStatusChanged
    | AttemptLogAppended
    | ConversationItemAppended
    | AttemptSessionRecorded
    | AttemptTodosUpdated
    | GitStatusChanged
    | GitCommitCreated
    | GitPushCompleted
    | PullRequestOpened
    | AgentProfileChanged
    | AgentRegistered
    | Access
    | Gap
    | Goodbye,
    strawberry.union("BoardEvent", description="Any event of a board's stream, in order."),
]

BoardChange = Annotated[
    Hello
    | State
    | CardCreated
    | CardUpdated
    | CardMoved
    | CardDeleted
    | ColumnsChanged
    | Heartbeat
    | Access
    | Gap
    | Goodbye,
    strawberry.union("BoardChange", description="A snapshot of a board, then its changes in order."),
]

AttemptEvent = Annotated[
    Hello
    | AttemptStarted
    | AttemptStatusChanged
    | AttemptLogAppended
    | ConversationItemAppended
    | AttemptSessionRecorded
    | AttemptTodosUpdated
    | GitCommitCreated
    | GitPushCompleted
    | PullRequestOpened
    | Access
    | Gap
    | Goodbye,
    strawberry.union("AttemptEvent", description="Any event of an attempt, in the order of the board's stream."),
]

DashboardEvent = Annotated[
    Hello | Overview | AgentProfileChanged | AgentRegistered | Access | Gap | Goodbye,
    strawberry.union("DashboardEvent", description="Any event of the dashboard's stream, in order."),
]
