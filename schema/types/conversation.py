"""The five kinds of conversation items as GraphQL shows them.

No code makes these types: their fields are read from the models of `realtime.kanban.conversation`. Fields with one
name have one type in all five, so that a document can use the name in each fragment.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from realtime.kanban import conversation
from schema.types.enums import AutomationStage, AutomationStatus, MessageRole, TextFormat, ToolStatus
from schema.types.scalars import JSON, SafeInt

__all__ = [
    "AutomationItem",
    "ConversationImage",
    "ConversationItem",
    "ErrorItem",
    "MessageItem",
    "ThinkingItem",
    "ToolItem",
    "ToolUse",
]


@strawberry.type
class _Item:
    """Fields of all items; no type of the schema."""

    id: strawberry.ID | None = strawberry.field(
        name="itemKey",
        description="The sender's key of the item; a later item of the attempt with the same key replaces this one.",
    )
    timestamp: datetime = strawberry.field(description="When it happened, by the sender's clock.")


@strawberry.type
class _Run:
    """Fields of all items that run a command; no type of the schema."""

    command: str | None = strawberry.field(description="The command line, if the sender gave it.")
    cwd: str | None = strawberry.field(description="The folder it runs in.")
    started_at: datetime | None = strawberry.field(description="When it began, by the sender's clock.")
    completed_at: datetime | None = strawberry.field(description="When it ended; null while it runs.")
    duration_ms: float | None = strawberry.field(description="How long it took, in milliseconds.")
    exit_code: SafeInt | None = strawberry.field(description="The exit code of the process; null while it runs.")
    stdout: str | None = strawberry.field(description="Its standard output.")
    stderr: str | None = strawberry.field(description="Its standard error.")
    metadata: JSON | None = strawberry.field(description="Further data of the sender, unchanged.")


@strawberry.type(description="A picture in a message.")
class ConversationImage:
    """The fields are read from `conversation.Image`."""

    data: str = strawberry.field(description="The picture, in base64.")
    mime: str = strawberry.field(description="Its media type, like `image/png`.")
    name: str | None = strawberry.field(description="Its file name, if it has one.")


def _images(parent: strawberry.Parent[conversation.MessageItem]) -> tuple[conversation.Image, ...]:
    return parent.images or ()


@strawberry.type(description="A message of the user, the agent or the system.")
class MessageItem(_Item):
    """The fields are read from `conversation.MessageItem`."""

    role: MessageRole = strawberry.field(description="The author.")
    text: str = strawberry.field(description="The text.")
    format: TextFormat | None = strawberry.field(description="How to show the text; null when not given.")
    profile_id: strawberry.ID | None = strawberry.field(description="The agent's profile that was used, if any.")
    images: tuple[conversation.Image, ...] = strawberry.field(
        resolver=_images, graphql_type=list[ConversationImage], description="Pictures that came with it."
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Return whether `value` is of this kind."""
        return isinstance(value, conversation.MessageItem)


@strawberry.type(description="The agent's reasoning.")
class ThinkingItem(_Item):
    """The fields are read from `conversation.ThinkingItem`."""

    title: str | None = strawberry.field(description="A heading, if there is one.")
    text: str = strawberry.field(description="The reasoning.")
    format: TextFormat | None = strawberry.field(description="How to show the text; null when not given.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Return whether `value` is of this kind."""
        return isinstance(value, conversation.ThinkingItem)


@strawberry.type(description="One use of a tool.")
class ToolUse(_Run):
    """The fields are read from `conversation.Tool`."""

    name: str = strawberry.field(description="The tool's name.")
    action: str | None = strawberry.field(description="The task of the tool.")
    status: ToolStatus = strawberry.field(description="Status of the use.")


@strawberry.type(description="The agent uses a tool; a later item with the same `itemKey` shows how it went on.")
class ToolItem(_Item):
    """The fields are read from `conversation.ToolItem`."""

    tool: ToolUse = strawberry.field(description="The use of the tool.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Return whether `value` is of this kind."""
        return isinstance(value, conversation.ToolItem)


@strawberry.type(description="Something went wrong in the agent.")
class ErrorItem(_Item):
    """The fields are read from `conversation.ErrorItem`."""

    text: str = strawberry.field(description="What went wrong.")
    details: JSON | None = strawberry.field(description="Further data of the sender, unchanged.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Return whether `value` is of this kind."""
        return isinstance(value, conversation.ErrorItem)


@strawberry.type(description="A script of the project that runs around an attempt.")
class AutomationItem(_Item, _Run):
    """The fields are read from `conversation.AutomationItem`."""

    stage: AutomationStage = strawberry.field(description="When the script runs.")
    status: AutomationStatus = strawberry.field(description="Its status.")
    allowed_failure: bool | None = strawberry.field(description="Whether the attempt goes on when the script fails.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Return whether `value` is of this kind."""
        return isinstance(value, conversation.AutomationItem)


ConversationItem = Annotated[
    MessageItem | ThinkingItem | ToolItem | ErrorItem | AutomationItem,
    strawberry.union("ConversationItem", description="One item of an agent's conversation."),
]
