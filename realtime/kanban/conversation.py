"""Conversation items: the five kinds of entries of an agent's conversation (docs/protocol.md).

Items are passed on as they came, with unknown keys and in the same key order; only their times are rewritten. So events
keep the plain JSON object (`ConversationItemJson`). The models here validate it, and parse it for GraphQL.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from realtime.kanban.input.fields import STORED, AsItCame, IsoTime
from realtime.kanban.input.many import Many

__all__ = [
    "AutomationItem",
    "ConversationItem",
    "ConversationItemJson",
    "ErrorItem",
    "Image",
    "MessageItem",
    "ThinkingItem",
    "Tool",
    "ToolItem",
    "item_wire",
    "parse_item",
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class _Item(_Model):
    timestamp: IsoTime
    id: str | None = None


class Image(_Model):
    """A picture in a message; `data` is base64."""

    data: str
    mime: str
    name: str | None = None


class MessageItem(_Item):
    """A message of the user, the assistant or the system."""

    type: Literal["message"]
    role: Literal["user", "assistant", "system"]
    text: str
    format: Literal["markdown", "plaintext"] | None = None
    profile_id: str | None = None
    images: Annotated[tuple[Image, ...], Many] | None = None


class ThinkingItem(_Item):
    """The agent's reasoning."""

    type: Literal["thinking"]
    text: str
    title: str | None = None
    format: Literal["markdown", "plaintext"] | None = None


class _Run(_Model):
    """A command that is run. Times are ISO 8601; the duration is in milliseconds."""

    command: str | None = None
    cwd: str | None = None
    started_at: IsoTime | None = None
    completed_at: IsoTime | None = None
    duration_ms: float | None = None
    exit_code: int | None = None
    stdout: str | None = None
    stderr: str | None = None
    metadata: dict[str, Any] | None = None


class Tool(_Run):
    """The use of a tool."""

    name: str
    status: Literal["created", "running", "succeeded", "failed", "cancelled"]
    action: str | None = None


class ToolItem(_Item):
    """The agent uses a tool; a later item with the same id shows the progress."""

    type: Literal["tool"]
    tool: Tool


class ErrorItem(_Item):
    """An error inside the agent."""

    type: Literal["error"]
    text: str
    details: Any = None


class AutomationItem(_Item, _Run):
    """A script of the project that runs around an attempt."""

    type: Literal["automation"]
    stage: Literal["copy_files", "setup", "dev", "cleanup"]
    status: Literal["running", "succeeded", "failed"]
    allowed_failure: bool | None = None


ConversationItem = Annotated[
    MessageItem | ThinkingItem | ToolItem | ErrorItem | AutomationItem, Field(discriminator="type")
]
#: A valid item as plain JSON: as it came, but for its times.
ConversationItemJson = Annotated[dict[str, Any], AsItCame(ConversationItem)]
_ITEM: TypeAdapter[ConversationItem] = TypeAdapter(ConversationItem)
_JSON: TypeAdapter[dict[str, Any]] = TypeAdapter(ConversationItemJson)


def parse_item(wire: dict[str, Any]) -> ConversationItem:
    """Parse an item from the log or a row.

    Raises:
        pydantic.ValidationError: the item is none of the five kinds.
    """
    return _ITEM.validate_python(wire, context=STORED)


def item_wire(wire: dict[str, Any]) -> dict[str, Any]:
    """Return an item of a row as clients get it; the times of older rows are still as their senders wrote them.

    Raises:
        pydantic.ValidationError: the item is none of the five kinds.
    """
    return _JSON.validate_python(wire, context=STORED)
