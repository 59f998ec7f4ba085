"""The enumerations have exactly the values of the core."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, get_args

import pytest

from realtime.dashboard import model, time_range
from realtime.errors import StreamEnded
from realtime.kanban import conversation, events, models
from realtime.kanban.grants import Action
from realtime.kanban.wire.board_wire import CARD_KEYS
from realtime.messages import options
from schema.types import enums


def words(model: Any, field: str) -> set[str]:
    """The values of a field of a `Literal` type, optional or not."""
    annotation = model.model_fields[field].annotation
    literals = [one for one in get_args(annotation) if get_args(one)] or [annotation]
    return {word for literal in literals for word in get_args(literal) if isinstance(word, str)}


CASES: list[tuple[type[Enum], Iterable[str]]] = [
    (enums.AccessAction, Action),
    (enums.TicketType, models.TicketType),
    (enums.AttemptStatus, models.AttemptStatus),
    (enums.TimeRangePreset, time_range.TimeRangePreset),
    (enums.CardField, CARD_KEYS),
    (enums.LogLevel, words(events.AttemptLogAppended, "level")),
    (enums.TodoStatus, {"open", "done"}),
    (enums.MessageRole, words(conversation.MessageItem, "role")),
    (enums.TextFormat, words(conversation.ThinkingItem, "format")),
    (enums.ToolStatus, words(conversation.Tool, "status")),
    (enums.AutomationStage, words(conversation.AutomationItem, "stage")),
    (enums.AutomationStatus, words(conversation.AutomationItem, "status")),
    (enums.ProfileChange, words(events.AgentProfileChanged, "kind")),
    (enums.ProjectStatus, {"Active"}),
    (enums.ProjectHealthStatus, words(model.ProjectSnapshot, "status")),
    (enums.AgentStatus, words(model.AgentStats, "status")),
    (enums.MetricUnit, words(model.MetricSeries, "unit")),
    (enums.InboxKind, {"review", "failed", "stuck"}),
    (enums.SlowPolicy, options.SlowPolicy),
    (enums.Delivery, set(options.Delivery) - {options.Delivery.PATCH}),
    (
        enums.InterruptionReason,
        # Reasons of a gap (docs/protocol.md, "Gaps"); reasons why streams end.
        {
            *("slow_consumer", "history_expired", "epoch_changed", "other_board", "invalid_cursor", "broker_lost"),
            *(ending.code for ending in StreamEnded.__subclasses__()),
        },
    ),
]


@pytest.mark.parametrize(("enumeration", "core"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_enumeration_has_the_words_of_the_core(enumeration: type[Enum], core: Iterable[str]) -> None:
    values = [member.value for member in enumeration]
    assert [value.lower() for value in values] == [member.name.lower() for member in enumeration]
    assert set(values) == {str(word) for word in core}


def test_every_enumeration_is_compared() -> None:
    assert {enumeration.__name__ for enumeration, _ in CASES} == set(enums.__all__)
