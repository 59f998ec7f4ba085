"""The five kinds of conversation items as GraphQL shows them.

The types are never made: their fields are read off the models of `realtime.kanban.conversation`. Fields that share
a name have one type in all five, so that one document can name them in each fragment.
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
    """What all items share; no type of the schema."""

    id: strawberry.ID | None = strawberry.field(
        description="The sender's id for the item; a later item with the same id replaces this one."
    )
    timestamp: datetime = strawberry.field(description="When it happened, by the sender's clock.")


@strawberry.type
class _Run:
    """What everything that runs a command shares; no type of the schema."""

    command: str | None = strawberry.field(description="The command line, if the sender gave it.")
    cwd: str | None = strawberry.field(description="The folder it runs in.")
    started_at: datetime | None = strawberry.field(description="When it began, by the sender's clock.")
    completed_at: datetime | None = strawberry.field(description="When it ended; null while it runs.")
    duration_ms: float | None = strawberry.field(description="How long it took, in milliseconds.")
    exit_code: SafeInt | None = strawberry.field(description="The exit code of the process; null while it runs.")
    stdout: str | None = strawberry.field(description="What it wrote to standard output.")
    stderr: str | None = strawberry.field(description="What it wrote to standard error.")
    metadata: JSON | None = strawberry.field(description="Whatever else the sender told, as it came.")


@strawberry.type(description="A picture in a message.")
class ConversationImage:
    """Read off `conversation.Image`."""

    data: str = strawberry.field(description="The picture, in base64.")
    mime: str = strawberry.field(description="Its media type, like `image/png`.")
    name: str | None = strawberry.field(description="Its file name, if it has one.")


def _images(parent: strawberry.Parent[conversation.MessageItem]) -> tuple[conversation.Image, ...]:
    return parent.images or ()


@strawberry.type(description="Something said by the user, the agent or the system.")
class MessageItem(_Item):
    """Read off `conversation.MessageItem`."""

    role: MessageRole = strawberry.field(description="Who said it.")
    text: str = strawberry.field(description="What was said.")
    format: TextFormat | None = strawberry.field(description="How the text is to be shown; null when it is not said.")
    profile_id: strawberry.ID | None = strawberry.field(description="The agent's profile that was used, if any.")
    images: tuple[conversation.Image, ...] = strawberry.field(
        resolver=_images, graphql_type=list[ConversationImage], description="Pictures that came with it."
    )

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Tell whether `value` is of this kind."""
        return isinstance(value, conversation.MessageItem)


@strawberry.type(description="The agent's reasoning.")
class ThinkingItem(_Item):
    """Read off `conversation.ThinkingItem`."""

    title: str | None = strawberry.field(description="A heading, if there is one.")
    text: str = strawberry.field(description="The reasoning.")
    format: TextFormat | None = strawberry.field(description="How the text is to be shown; null when it is not said.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Tell whether `value` is of this kind."""
        return isinstance(value, conversation.ThinkingItem)


@strawberry.type(description="One use of a tool.")
class ToolUse(_Run):
    """Read off `conversation.Tool`."""

    name: str = strawberry.field(description="The tool's name.")
    action: str | None = strawberry.field(description="What the tool was asked to do.")
    status: ToolStatus = strawberry.field(description="Where the use stands.")


@strawberry.type(description="The agent uses a tool; a later item with the same id shows how it went on.")
class ToolItem(_Item):
    """Read off `conversation.ToolItem`."""

    tool: ToolUse = strawberry.field(description="The use of the tool.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Tell whether `value` is of this kind."""
        return isinstance(value, conversation.ToolItem)


@strawberry.type(description="Something went wrong in the agent.")
class ErrorItem(_Item):
    """Read off `conversation.ErrorItem`."""

    text: str = strawberry.field(description="What went wrong.")
    details: JSON | None = strawberry.field(description="Whatever else the sender told, as it came.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Tell whether `value` is of this kind."""
        return isinstance(value, conversation.ErrorItem)


@strawberry.type(description="A script of the project that runs around an attempt.")
class AutomationItem(_Item, _Run):
    """Read off `conversation.AutomationItem`."""

    stage: AutomationStage = strawberry.field(description="When the script runs.")
    status: AutomationStatus = strawberry.field(description="Where it stands.")
    allowed_failure: bool | None = strawberry.field(description="Whether the attempt goes on when the script fails.")

    @classmethod
    def is_type_of(cls, value: object, _info: object) -> bool:
        """Tell whether `value` is of this kind."""
        return isinstance(value, conversation.AutomationItem)


ConversationItem = Annotated[
    MessageItem | ThinkingItem | ToolItem | ErrorItem | AutomationItem,
    strawberry.union("ConversationItem", description="One item of an agent's conversation."),
]
