"""`Many`: the first of many errors are listed and the rest counted, and few of them exist at a time."""

from __future__ import annotations

import tracemalloc
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from realtime.errors import MAX_FIELD_ERRORS, FieldError, InvalidInput, field_errors, quoted
from realtime.kanban.incoming import parse_incoming
from realtime.kanban.input.many import PIECE, Many, stopping_early
from tests.unit.realtime.event_samples import SAMPLES


class Inner(BaseModel):
    """An entry with its own list."""

    id: str
    ids: Annotated[tuple[int, ...], Many] = ()


_LIST = TypeAdapter[tuple[int, ...]](Annotated[tuple[int, ...], Many])
_OBJECT = TypeAdapter[dict[str, Inner]](Annotated[dict[str, Inner], Many])


def _found(adapter: TypeAdapter[Any], value: object) -> list[FieldError]:
    with pytest.raises(ValidationError) as refused:
        adapter.validate_python(value)
    return list(InvalidInput(*field_errors(refused.value, "at")).fields)


@pytest.mark.parametrize("length", [0, 1, PIECE, PIECE + 1, 7 * PIECE + 3])
def test_entries_within_the_limit_come_out_whole(length: int) -> None:
    assert _LIST.validate_python(list(range(length))) == tuple(range(length))
    entries = {str(n): {"id": str(n)} for n in range(length)}
    assert _OBJECT.validate_python(entries) == {str(n): Inner(id=str(n)) for n in range(length)}


@pytest.mark.parametrize("value", ["x", 5, None, {"a": 1}])
def test_value_that_is_not_a_list_is_refused(value: object) -> None:
    assert _found(_LIST, value)[0].field == "at"


@pytest.mark.parametrize("wrong", [1, MAX_FIELD_ERRORS, MAX_FIELD_ERRORS + 1, 5000, 300_000])
def test_mistakes_beyond_the_bound_are_counted(wrong: int) -> None:
    found = _found(_LIST, [*range(250), *["x"] * wrong])
    assert [one.field for one in found[:MAX_FIELD_ERRORS]] == [f"at.{250 + n}" for n in range(min(wrong, 100))]
    counts = found[MAX_FIELD_ERRORS:]
    if wrong <= MAX_FIELD_ERRORS:
        assert counts == []
    else:
        omitted = wrong - MAX_FIELD_ERRORS
        assert counts == [FieldError("", f"and at least {omitted:,} more", omitted)]


def test_mistakes_in_lists_of_lists_are_counted_once() -> None:
    entries = {str(n): {"id": n, "ids": ["x"] * 200} for n in range(300)}
    *listed, count = _found(_OBJECT, entries)
    assert [one.field for one in listed[:3]] == ["at.0.id", "at.0.ids.0", "at.0.ids.1"]
    assert len(listed) == MAX_FIELD_ERRORS
    assert 300 * PIECE < count.omitted <= 300 * 201 - MAX_FIELD_ERRORS


def test_sentence_stays_as_pydantic_wrote_it() -> None:
    (found,) = _found(_LIST, [*range(PIECE), "{x}"])
    assert (found.field, found.message) == (
        f"at.{PIECE}",
        "Input should be a valid integer, unable to parse string as an integer, got '{x}'",
    )


def test_nobody_counts_for_whom_one_mistake_is_enough() -> None:
    with stopping_early(), pytest.raises(ValidationError) as refused:
        _LIST.validate_python(["x"] * 10 * PIECE)
    assert refused.value.error_count() == PIECE
    assert _found(_LIST, ["x"] * 10 * PIECE)[-1].omitted == 9 * PIECE


def _wrong_todos(count: int) -> dict[str, Any]:
    todos = {"total": 0, "completed": 0, "items": [1] * count}
    return {"name": "attempt.todos.updated", "payload": {"attemptId": "a", "boardId": "b", "todos": todos}}


def _wrong_cards(count: int) -> dict[str, Any]:
    state = {"columns": {}, "columnOrder": [1] * count, "cards": {str(n): {} for n in range(count)}}
    return {"name": "board.state.changed", "payload": {"boardId": "b", "state": state}}


_WRONG: dict[str, object] = {
    "items": _wrong_todos(300_000),
    "cards": _wrong_cards(60_000),
    "columns": {"name": "board.columns.initialized", "payload": {"boardId": "b", "columnIds": [1] * 300_000}},
    "keys": {"name": "agent.registered", "payload": {}, **dict.fromkeys(map(str, range(100_000)), 0)},
    "batch": [_wrong_todos(300)] * 1000,
    "events": [{"name": "agent.registered", "payload": {}}] * 1000,
    "no-events": [1] * 1000,
}


@pytest.mark.parametrize("case", _WRONG)
def test_events_with_many_mistakes_are_refused_in_little_memory(case: str) -> None:
    tracemalloc.start()
    with pytest.raises(InvalidInput) as refused:
        parse_incoming(_WRONG[case])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(refused.value.fields) == MAX_FIELD_ERRORS + 1
    assert refused.value.fields[-1].omitted >= 900
    assert len(refused.value.message) < 20_000
    assert peak < 20 * 1024 * 1024


def test_batch_counts_each_mistake_of_short_events() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_incoming([{"name": "agent.registered", "payload": {}}] * 1000)
    assert refused.value.fields[-1] == FieldError("", "and at least 900 more", 900)


def test_samples_fit_one_by_one_and_all_together() -> None:
    batch = [{"name": name, "payload": payload} for name, payload in SAMPLES.items()]
    assert len(parse_incoming(batch)) == len(batch)


@pytest.mark.parametrize(
    "value", ["x", "it's", ["a", 1, None, {"b": [True]}], {}, [], {"a": {"b": "c"}}, 1.5, {"k" * 100: 1}, ["x" * 200]]
)
def test_quoted_value_is_spelt_as_python_does_and_cut(value: object) -> None:
    whole = repr(value)
    assert quoted(value) == (whole if len(whole) <= 80 else f"{whole[:79]}…")


def test_no_more_is_spelt_than_is_shown() -> None:
    deep: list[Any] = []
    inner = deep
    for _ in range(100_000):
        inner.append([])
        inner = inner[0]
    assert quoted(deep) == "[" * 79 + "…"
    assert quoted({"a": [0] * 1_000_000}).endswith("0, …")
