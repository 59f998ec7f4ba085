"""Todo lists of agents as GraphQL shows them; read off `events.Todos`."""

from __future__ import annotations

import strawberry

from schema.types.enums import TodoStatus
from schema.types.scalars import SafeInt

__all__ = ["Todo", "TodoList"]


@strawberry.type(description="One entry of an agent's todo list.")
class Todo:
    """Read off the entries of `events.Todos`."""

    id: strawberry.ID = strawberry.field(description="The agent's id of the entry.")
    text: str = strawberry.field(description="What is to be done.")
    status: TodoStatus = strawberry.field(description="Whether it is done.")


@strawberry.type(description="An agent's todo list.")
class TodoList:
    """The fields are read from `events.Todos`."""

    total: SafeInt = strawberry.field(description="How many entries there are, as the agent counts.")
    completed: SafeInt = strawberry.field(description="How many of them are done, as the agent counts.")
    items: list[Todo] = strawberry.field(description="The entries, in the agent's order.")
