"""Attempts as GraphQL shows them, with their logs, conversations and todo lists.

No code makes an `Attempt`: its fields are read from the rows of `realtime.ports`, and loaders read its logs,
conversation and todos.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import strawberry

from realtime import ports
from realtime.kanban import conversation, events, models
from realtime.kanban.conversation import parse_item
from schema.execution.context import Info
from schema.execution.loaders import PageKey
from schema.types.conversation import ConversationItem
from schema.types.enums import AttemptStatus, LogLevel, TodoStatus
from schema.types.node import Node
from schema.types.objects import Card
from schema.types.paging import DEFAULT_FIRST, AfterEntry, Edge, First, PageInfo, Stretch, checked_first, offset_after
from schema.types.scalars import SafeInt

__all__ = [
    "Attempt",
    "AttemptConnection",
    "ConversationConnection",
    "ConversationEdge",
    "LogConnection",
    "LogEdge",
    "LogEntry",
    "Todo",
    "TodoList",
]


@strawberry.type(description="A line of an attempt's log.")
class LogEntry:
    """The fields are read from `ports.LogEntry`."""

    id: strawberry.ID = strawberry.field(name="logId", description="Id of the line, `log-<uuid>`.")
    ts: datetime = strawberry.field(
        description="When it was written; without a time from the sender, when the server got it."
    )
    level: LogLevel = strawberry.field(description="How serious it is.")
    message: str = strawberry.field(description="The line.")


@strawberry.type(description="A line of a log, with its place.")
class LogEdge:
    """The fields are read from an `Edge`."""

    cursor: str = strawberry.field(description="The position of the line in the log, for `after`.")
    node: ports.LogEntry = strawberry.field(graphql_type=LogEntry, description="The line.")


@strawberry.type(description="A page of an attempt's log, oldest line first.")
class LogConnection:
    """The fields are read from a `Stretch`."""

    edges: list[Edge] = strawberry.field(graphql_type=list[LogEdge], description="The lines with their places.")
    nodes: list[ports.LogEntry] = strawberry.field(graphql_type=list[LogEntry], description="The lines.")
    page_info: PageInfo = strawberry.field(description="How to go on.")


@strawberry.type(description="An item of a conversation, with its place.")
class ConversationEdge:
    """The fields are read from an `Edge`."""

    cursor: str = strawberry.field(description="The position of the item in the conversation, for `after`.")
    node: conversation.ConversationItem = strawberry.field(graphql_type=ConversationItem, description="The item.")


@strawberry.type(
    description="A page of an attempt's conversation as it came, oldest item first; a later item replaces an earlier "
    "one with the same `itemKey`."
)
class ConversationConnection:
    """The fields are read from a `Stretch`."""

    edges: list[Edge] = strawberry.field(
        graphql_type=list[ConversationEdge], description="The items with their places."
    )
    nodes: list[conversation.ConversationItem] = strawberry.field(
        graphql_type=list[ConversationItem], description="The items."
    )
    page_info: PageInfo = strawberry.field(description="How to go on.")


@strawberry.type(description="One entry of an agent's todo list.")
class Todo:
    """The fields are read from the entries of `events.Todos`."""

    id: strawberry.ID = strawberry.field(
        name="todoKey", description="The agent's key of the entry, unique in its list only."
    )
    text: str = strawberry.field(description="What is to be done.")
    status: TodoStatus = strawberry.field(description="Whether it is done.")


@strawberry.type(description="An agent's todo list.")
class TodoList:
    """The fields are read from `events.Todos`."""

    total: SafeInt = strawberry.field(description="How many entries there are, as the agent counts.")
    completed: SafeInt = strawberry.field(description="How many of them are done, as the agent counts.")
    items: list[Todo] = strawberry.field(description="The entries, in the agent's order.")


async def _card(parent: strawberry.Parent[ports.Attempt], info: Info) -> models.Card | None:
    return await info.context.loaders.card.load((parent.board_id, parent.card_id))


async def _logs(
    parent: strawberry.Parent[ports.Attempt], info: Info, first: First = DEFAULT_FIRST, after: AfterEntry = None
) -> Stretch:
    cursors = info.context.service.attempts.cursors(parent.board_id)
    key = PageKey((parent.board_id, parent.id), offset_after(after, cursors), checked_first(first))
    return Stretch.of_page(await info.context.loaders.logs.load(key), after, cursors)


async def _conversation(
    parent: strawberry.Parent[ports.Attempt], info: Info, first: First = DEFAULT_FIRST, after: AfterEntry = None
) -> Stretch:
    cursors = info.context.service.attempts.cursors(parent.board_id)
    key = PageKey((parent.board_id, parent.id), offset_after(after, cursors), checked_first(first))
    found = Stretch.of_page(await info.context.loaders.conversation.load(key), after, cursors)
    items = [Edge(edge.cursor, parse_item(edge.node)) for edge in found.edges]
    return Stretch(items, found.has_next_page, after)


async def _todos(parent: strawberry.Parent[ports.Attempt], info: Info) -> events.Todos | None:
    found: dict[str, Any] | None = await info.context.loaders.todos.load((parent.board_id, parent.id))
    return None if found is None else events.Todos.model_validate(found)


@strawberry.type(description="An agent's attempt at a card. When the card is tried again, the attempt keeps its id.")
class Attempt(Node):
    """The fields are read from `ports.Attempt`."""

    id: strawberry.ID = strawberry.field(
        name="attemptId",
        description="Id of the attempt, unique on its board; `att-<uuid>` if this server has made it.",
    )
    board_id: strawberry.ID = strawberry.field(description="The board; its project has the same id.")
    card_id: strawberry.ID = strawberry.field(description="The card of the attempt; it may have been deleted since.")
    agent: str = strawberry.field(name="agentKey", description="Key of the agent that works, like `CODEX`.")
    status: AttemptStatus = strawberry.field(description="Status of the attempt.")
    base_branch: str | None = strawberry.field(description="The branch on which it begins; null when not given.")
    branch_name: str | None = strawberry.field(description="The branch on which it works; null when not given.")
    worktree_path: str | None = strawberry.field(
        description="Path of its working tree on the machine of the runner; null until the runner reports it."
    )
    session_id: strawberry.ID | None = strawberry.field(
        description="The agent's own id of its session; null until it is known."
    )
    created_at: datetime = strawberry.field(description="When it was queued (or began) for the first time.")
    updated_at: datetime = strawberry.field(description="When its status last changed.")
    started_at: datetime | None = strawberry.field(description="When a runner last began; null before the first time.")
    ended_at: datetime | None = strawberry.field(description="When it ended; null while it has not.")
    card: models.Card | None = strawberry.field(
        resolver=_card, graphql_type=Card | None, description="The card; null if it has been deleted since."
    )
    logs: Stretch = strawberry.field(
        resolver=_logs, graphql_type=LogConnection, description="Log lines of the runner and the agent, oldest first."
    )
    conversation: Stretch = strawberry.field(
        resolver=_conversation,
        graphql_type=ConversationConnection,
        description="Messages and actions of the user, the agent and the tools, oldest first.",
    )
    todos: events.Todos | None = strawberry.field(
        resolver=_todos, graphql_type=TodoList | None, description="The agent's todo list; null when it has none."
    )


@strawberry.type(description="An attempt, with its place.")
class AttemptEdge:
    """The fields are read from an `Edge`."""

    cursor: str = strawberry.field(description="The position of the attempt in the list, for `after`.")
    node: ports.Attempt = strawberry.field(graphql_type=Attempt, description="The attempt.")


@strawberry.type(description="A page of attempts, newest created first.")
class AttemptConnection:
    """The fields are read from a `Stretch`."""

    edges: list[Edge] = strawberry.field(graphql_type=list[AttemptEdge], description="The attempts with their places.")
    nodes: list[ports.Attempt] = strawberry.field(graphql_type=list[Attempt], description="The attempts.")
    page_info: PageInfo = strawberry.field(description="How to go on.")
