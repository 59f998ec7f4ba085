"""Events from clients: each error is named by index and field, and everything else is kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.clock import parse_iso
from realtime.errors import InvalidInput
from realtime.kanban.incoming import MAX_EVENTS, parse_incoming, read_all, read_each
from tests.unit.realtime.event_samples import AT, ITEMS, SAMPLES

LINE = {"name": "attempt.log.appended", "payload": SAMPLES["attempt.log.appended"]}


def fields(body: object) -> list[str]:
    """Return the fields that the refusal names."""
    with pytest.raises(InvalidInput) as refused:
        parse_incoming(body)
    return [field.field for field in refused.value.fields]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_event_is_read(name: str) -> None:
    (read,) = parse_incoming({"name": name, "payload": SAMPLES[name]})
    assert (read.event.type, read.at, read.key) == (name, None, None)


def test_time_and_key_are_read() -> None:
    (read,) = parse_incoming([{**LINE, "at": "2025-01-02T05:04:05.678+02:00", "id": "k" * 200}])
    assert (read.at, read.key) == (parse_iso(AT), "k" * 200)


def test_null_time_and_key_are_none() -> None:
    (read,) = parse_incoming([{**LINE, "at": None, "id": None}])
    assert (read.at, read.key) == (None, None)


def _written(value: Any, as_: str) -> Any:
    """Return a payload whose times, all of which are `AT`, have another spelling."""
    if isinstance(value, dict):
        return {key: _written(one, as_) for key, one in value.items()}
    if isinstance(value, list):
        return [_written(one, as_) for one in value]
    return as_ if value == AT else value


def _timed() -> list[tuple[str, Any]]:
    items = [
        ("attempt.conversation.appended", {"attemptId": "a1", "boardId": "p1", "item": one}) for one in ITEMS.values()
    ]
    created = {**SAMPLES["project.created"], "createdAt": AT}
    ended = {**SAMPLES["attempt.status.changed"], "endedAt": AT}
    return [*SAMPLES.items(), *items, ("project.created", created), ("attempt.status.changed", ended)]


@pytest.mark.parametrize(("name", "payload"), _timed())
def test_every_time_of_an_event_has_one_form(name: str, payload: dict[str, Any]) -> None:
    (plain,) = parse_incoming({"name": name, "payload": payload})
    for other in ("2025-01-02t05:04:05.678999999+02:00", "2025-01-01T21:34:05.6780-05:30"):
        (read,) = parse_incoming({"name": name, "payload": _written(payload, other)})
        assert read.event == plain.event
        assert read.event.payload_json() == plain.event.payload_json()


@pytest.mark.parametrize(("name", "payload"), [one for one in _timed() if AT in str(one)])
def test_every_time_of_an_event_that_is_none_is_refused(name: str, payload: dict[str, Any]) -> None:
    for other in ("20250102T030405Z", "2025-W01-4T03:04:05Z", "2025-01-02T03:04:05." + "6" * 90_000 + "Z"):
        named = fields([LINE, {"name": name, "payload": _written(payload, other)}])
        assert named
        assert all(one.startswith("1.payload.") for one in named)
        assert len(named) == str(payload).count(AT)


def test_keys_may_repeat_within_a_batch() -> None:
    assert [one.key for one in parse_incoming([{**LINE, "id": "k"}, {**LINE, "id": "k"}])] == ["k", "k"]


def test_a_thousand_events_are_read_and_one_more_is_refused() -> None:
    assert len(parse_incoming([LINE] * MAX_EVENTS)) == MAX_EVENTS == 1000
    with pytest.raises(InvalidInput, match="expected 1 to 1000 events, got 1001"):
        parse_incoming([LINE] * 1001)
    with pytest.raises(InvalidInput, match="expected 1 to 1000 events, got 0"):
        parse_incoming([])


@pytest.mark.parametrize("body", [None, "text", 1, True, [[]], [None], ["text"]])
def test_body_that_is_no_event_is_refused(body: object) -> None:
    assert fields(body) == ["0"]


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"payload": {}}, "0.name"),
        ({"name": "attempt.started"}, "0.payload"),
        ({"name": "attempt.started", "payload": []}, "0.payload"),
        ({"name": "attempt.started", "payload": None}, "0.payload"),
        ({"name": 7, "payload": {}}, "0.name"),
        ({"name": "some.unknown.event", "payload": {}}, "0.name"),
        ({**LINE, "at": "yesterday"}, "0.at"),
        ({**LINE, "at": 1735787045}, "0.at"),
        ({**LINE, "id": ""}, "0.id"),
        ({**LINE, "id": "k" * 201}, "0.id"),
        ({**LINE, "id": 7}, "0.id"),
        ({**LINE, "more": 1}, "0.more"),
        ({"name": "board.state.changed", "payload": {"boardId": "p1"}}, "0.payload.state"),
        ({"name": "board.state.changed", "payload": {"boardId": "p1", "state": None}}, "0.payload.state"),
    ],
)
def test_mistake_in_an_entry_is_named(entry: dict[str, Any], field: str) -> None:
    assert fields(entry) == [field]


def test_every_mistake_of_a_batch_is_named_with_its_index() -> None:
    batch = [
        LINE,
        {"name": "attempt.log.appended", "payload": {"boardId": "p1", "level": "debug", "message": "m"}},
        "text",
        LINE,
        {"name": "no.such.event", "payload": {}},
        {"name": "attempt.todos.updated", "payload": {**SAMPLES["attempt.todos.updated"], "todos": {"total": 1}}},
    ]
    assert fields(batch) == [
        "1.payload.attemptId",
        "1.payload.level",
        "2",
        "4.name",
        "5.payload.todos.completed",
        "5.payload.todos.items",
    ]


def test_error_quotes_what_came_and_cuts_it() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_incoming([{**LINE, "payload": {**LINE["payload"], "level": "x" * 10_000}}])  # type: ignore[dict-item]  # a dict
    (found,) = refused.value.fields
    assert "xxx" in found.message
    assert len(found.message) < 300


def _nested(depth: int) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("field", ["status", "previousStatus"])
def test_status_that_python_cannot_spell_is_refused(field: str) -> None:
    deep: dict[str, Any] = {}
    for _ in range(1_000):
        deep = {"a": deep}
    payload = {**SAMPLES["attempt.status.changed"], field: deep}
    assert fields({"name": "attempt.status.changed", "payload": payload}) == ["0.payload"]


def test_payload_that_is_nested_too_deep_to_be_written_again_is_refused() -> None:
    deep = {"name": "settings.global.updated", "payload": {"changes": {"deep": _nested(300)}}}
    assert fields([LINE, deep]) == ["1.payload"]
    fine = {"name": "settings.global.updated", "payload": {"changes": {"deep": _nested(50)}}}
    assert len(parse_incoming([fine])) == 1


@st.composite
def _entries(draw: st.DrawFn) -> Any:
    """Return an approximate event: valid, with additional fields, or with one or more errors."""
    name = draw(st.sampled_from(sorted(SAMPLES)))
    odd = st.sampled_from([None, "", "x", 7, True, [], {}, {"a": [1]}, AT, _nested(150)])
    payload = dict(SAMPLES[name])
    for key in draw(st.lists(st.sampled_from([*payload, "type", "more", "state"]), max_size=2)):
        payload[key] = draw(odd)
    entry = {"name": name, "payload": payload, **draw(st.fixed_dictionaries({}, optional={"at": odd, "id": odd}))}
    for key in draw(st.lists(st.sampled_from(["name", "payload", "more"]), max_size=1)):
        entry[key] = draw(odd)
    return draw(st.sampled_from([entry, entry, entry, None]))


@given(st.lists(_entries(), min_size=1, max_size=4))
def test_batch_is_read_at_once_as_it_is_event_by_event(entries: list[Any]) -> None:
    at_once = read_all(entries)
    try:
        one_by_one = read_each(entries)
    except InvalidInput:
        assert at_once is None
    else:
        assert at_once in (None, one_by_one)
        if all("type" not in entry["payload"] for entry in entries):
            assert at_once is not None


def test_kind_of_event_in_a_payload_is_no_field_of_ours() -> None:
    (read,) = parse_incoming({**LINE, "payload": {**LINE["payload"], "type": "else"}})  # type: ignore[dict-item]  # a dict
    assert read == parse_incoming(LINE)[0]
