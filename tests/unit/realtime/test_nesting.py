"""The nesting limit of JSON: exact, for objects and lists."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.errors import InvalidInput
from realtime.kanban.attempts import QueueAttempt
from realtime.kanban.commands import CreateCard, MoveCard, UpdateCard, parse_command
from realtime.kanban.input.nesting import MAX_LEVELS, deep_fields, is_shallow
from realtime.kanban.projects import CreateProject


def _deep(levels: int, *, in_lists: bool = False) -> Any:
    """Return an empty object or list inside others, `levels` in all."""
    deep: Any = [] if in_lists else {}
    for _ in range(levels - 1):
        deep = [deep] if in_lists else {"a": deep}
    return deep


@pytest.mark.parametrize("in_lists", [True, False])
@pytest.mark.parametrize("levels", [1, 2, 100])
def test_level_beyond_the_bound_is_seen(levels: int, in_lists: bool) -> None:
    assert is_shallow(_deep(levels, in_lists=in_lists), levels)
    assert not is_shallow(_deep(levels + 1, in_lists=in_lists), levels)


def test_deep_fields_are_named() -> None:
    body = {"a": 1, "b": _deep(MAX_LEVELS - 1), "c": _deep(MAX_LEVELS), "d": [_deep(2_000, in_lists=True)]}
    assert deep_fields(body) == ["c", "d"]


@pytest.mark.parametrize("kind", [CreateCard, UpdateCard, MoveCard, QueueAttempt, CreateProject])
@pytest.mark.parametrize("levels", [900, 1_000])
def test_field_that_python_cannot_spell_is_refused_by_name(kind: Any, levels: int) -> None:
    ours = {field.alias or name for name, field in kind.model_fields.items() if field.init is False} | {"type"}
    for name in {field.alias or name for name, field in kind.model_fields.items()} - ours:
        for in_lists in (True, False):
            with pytest.raises(InvalidInput) as refused:
                parse_command(kind, {name: _deep(levels, in_lists=in_lists)})
            assert [field.field for field in refused.value.fields] == [name]
