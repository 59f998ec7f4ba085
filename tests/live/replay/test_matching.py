"""The comparison can fail: examples that it accepts and examples that it rejects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kit.matching import Matcher
from tests.kit.wire import bare_block, bare_frame
from tests.live.replay.state_rules import StateRules

_ONE, _TWO = "card-00000000-0000-4000-8000-000000000001", "card-00000000-0000-4000-8000-000000000002"
_NEW, _NEWER = "card-0b9c4f1e-3c1d-4e55-9d3a-0d6f5f1a2b3c", "card-1b9c4f1e-3c1d-4e55-9d3a-0d6f5f1a2b3c"
_RECORDED_AT, _NOW = "2026-11-23T04:57:42.322Z", "2031-01-01T00:00:00.001Z"


@pytest.mark.parametrize(
    ("recorded", "actual"),
    [
        ({"a": 1, "b": None}, {"a": 1, "b": None}),
        ({_ONE: [_ONE, _TWO]}, {_NEW: [_NEW, _NEWER]}),
        ({"at": _RECORDED_AT}, {"at": _NOW}),
        (["2025-01-02T03:04:05.678Z"], ["2025-01-02T03:04:05.678Z"]),
    ],
)
def test_same_thing_with_other_ids_and_times_matches(recorded: Any, actual: Any) -> None:
    matcher = Matcher()
    matcher.match(recorded, actual)
    assert matcher.actual(str(recorded)) == str(recorded).replace(_ONE, _NEW).replace(_TWO, _NEWER)


@pytest.mark.parametrize(
    ("recorded", "actual"),
    [
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, id="key order"),
        pytest.param({"a": 1}, {"a": 1, "b": None}, id="key more"),
        pytest.param({"a": 1, "b": None}, {"a": 1}, id="key omitted"),
        pytest.param([False], [0], id="type"),
        pytest.param([1], [1.0], id="kind of number"),
        pytest.param([_ONE, _TWO], [_NEW, _NEW], id="two ids are one"),
        pytest.param([_ONE, _ONE], [_NEW, _NEWER], id="one id is two"),
        pytest.param([_ONE], [_NEW.removeprefix("card-")], id="prefix"),
        pytest.param([_ONE], ["card-1"], id="no id"),
        pytest.param([_RECORDED_AT], ["2031-01-01T00:00:00Z"], id="no milliseconds"),
        pytest.param(["2025-01-02T03:04:05.678Z"], [_NOW], id="given time"),
        pytest.param(["a"], ["a", "b"], id="length"),
    ],
)
def test_other_thing_does_not_match(recorded: Any, actual: Any) -> None:
    with pytest.raises(AssertionError):
        Matcher().match(recorded, actual)


def test_ids_stay_bound_for_what_is_sent_next() -> None:
    matcher = Matcher()
    matcher.match([_ONE], [_NEW])
    assert matcher.actual(f"/cards/{_ONE}/{_TWO}") == f"/cards/{_NEW}/{_TWO}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"type":"state","payload":{}}', id="no cursor"),
        pytest.param('{"cursor":"c","type":"state","payload":{}}', id="cursor first"),
        pytest.param('{"type":"pong","payload":{},"cursor":"c"}', id="cursor of a pong"),
        pytest.param('{"type": "pong","payload":{}}', id="not compact"),
        pytest.param('{"type":"pong","payload":{"ts":"\\u00fc"}}', id="escaped"),
        pytest.param('{"type":"hello","payload":{"serverTime":"x"}}', id="hello without cursor"),
    ],
)
def test_frame_against_the_contract_is_found(text: str) -> None:
    with pytest.raises(AssertionError):
        bare_frame(text)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("event: state\ndata: {}\n\n", id="no id"),
        pytest.param("data: {}\nevent: state\nid: c\n\n", id="data first"),
        pytest.param("event: heartbeat\ndata: {}\nid: c\n\n", id="id of a heartbeat"),
        pytest.param("event: state\ndata: {}\ndata: {}\nid: c\n\n", id="two data lines"),
        pytest.param(": comment\nevent: state\ndata: {}\nid: c\n\n", id="comment"),
    ],
)
def test_block_against_the_contract_is_found(block: str) -> None:
    with pytest.raises(AssertionError):
        bare_block(block)


def test_additions_are_taken_off() -> None:
    assert bare_frame('{"type":"git:status","cursor":"c"}') == {"type": "git:status"}
    assert bare_block("event: git_status\ndata: {}\nid: c\n\n") == ("git_status", {})


def _state(*cards: tuple[str, str]) -> dict[str, Any]:
    columns = {"c": {"id": "c", "title": "Backlog", "cardIds": [key for key, _ in cards]}}
    held = {key: {"id": key, "title": key, "createdAt": _RECORDED_AT, "updatedAt": at} for key, at in cards}
    return {"columns": columns, "columnOrder": ["c"], "cards": held}


def test_card_that_moves_without_a_new_time_is_found() -> None:
    rules = StateRules()
    rules.check(_state(("a", _RECORDED_AT), ("b", _RECORDED_AT)))
    with pytest.raises(AssertionError, match="updatedAt"):
        rules.check(_state(("b", _NOW), ("a", _RECORDED_AT)))


def test_card_that_stays_with_a_new_time_is_found() -> None:
    rules = StateRules()
    rules.check(_state(("a", _RECORDED_AT)))
    with pytest.raises(AssertionError, match="updatedAt"):
        rules.check(_state(("a", _NOW)))
