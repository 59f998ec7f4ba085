"""Conversation items: five kinds, which keep unknown keys."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from realtime.kanban.conversation import (
    AutomationItem,
    ConversationItemJson,
    ErrorItem,
    MessageItem,
    ThinkingItem,
    ToolItem,
    item_wire,
    parse_item,
)
from tests.unit.realtime.event_samples import AT, ITEMS

_KINDS: dict[str, Any] = {
    "message": MessageItem,
    "thinking": ThinkingItem,
    "tool": ToolItem,
    "error": ErrorItem,
    "automation": AutomationItem,
}
_AS_IT_CAME: TypeAdapter[dict[str, Any]] = TypeAdapter(ConversationItemJson)


@pytest.mark.parametrize("kind", _KINDS)
def test_item_is_read_as_its_kind(kind: str) -> None:
    item = parse_item(ITEMS[kind])
    assert isinstance(item, _KINDS[kind])
    assert item.type == kind
    assert item.timestamp == AT


@pytest.mark.parametrize("kind", _KINDS)
def test_item_passes_through_with_unknown_keys_and_its_order(kind: str) -> None:
    item = {"zuletzt": {"b": 1, "a": [None, 1.5, "ü"]}, **ITEMS[kind], "another": 0}
    assert orjson.dumps(_AS_IT_CAME.validate_python(item)) == orjson.dumps(item)


def test_fields_of_a_tool_are_read() -> None:
    item = parse_item(ITEMS["tool"])
    assert isinstance(item, ToolItem)
    assert (item.tool.name, item.tool.status, item.tool.exit_code) == ("bash", "succeeded", 0)
    assert (item.tool.duration_ms, item.tool.metadata) == (12.5, {"k": {"deep": []}})


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("message", {"type": "speech"}),
        ("message", {"type": None}),
        ("message", {"role": "robot"}),
        ("message", {"text": None}),
        ("message", {"timestamp": "now"}),
        ("message", {"format": "html"}),
        ("message", {"images": [{"data": "A"}]}),
        ("thinking", {"text": 1}),
        ("tool", {"tool": {"name": "x"}}),
        ("tool", {"tool": {"name": "x", "status": "queued"}}),
        ("automation", {"stage": "lunch"}),
        ("automation", {"status": "created"}),
    ],
)
def test_item_of_no_kind_is_refused(kind: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _AS_IT_CAME.validate_python({**ITEMS[kind], **changes})


def test_item_with_an_older_form_of_time_is_shown_in_the_new_form() -> None:
    tool = {
        **ITEMS["tool"]["tool"],
        "startedAt": "20250102T030405.678Z",
        "completedAt": "2025-W01-4T03:04:05.678+00:00",
    }
    stored = {**ITEMS["tool"], "timestamp": "2025-01-02 03:04:05.6789Z", "tool": tool, "z": [AT]}
    assert orjson.dumps(item_wire(stored)) == orjson.dumps({**ITEMS["tool"], "z": [AT]})
    read = parse_item(stored)
    assert isinstance(read, ToolItem)
    assert (read.timestamp, read.tool.started_at, read.tool.completed_at) == (AT, AT, AT)
