"""A failure message must show where two events differ."""

from __future__ import annotations

import pytest

from tests.equivalence.comparing import assert_same

_LOG = {"type": "attempt_log", "payload": {"message": "a", "ts": None}}
_STATE = {"type": "state", "payload": {"columnOrder": ["c1", "c2"]}}


def test_same_events_are_no_difference() -> None:
    assert_same("raw SSE", [_LOG, _STATE], [_LOG, _STATE])


def test_difference_names_exit_event_path_and_values() -> None:
    other = {"type": "state", "payload": {"columnOrder": ["c1", "c3"]}}
    with pytest.raises(AssertionError) as raised:
        assert_same("raw SSE", [_LOG, other], [_LOG, _STATE])
    assert str(raised.value).splitlines() == [
        "raw SSE, event 1 of 2 that were due:",
        "  $.payload.columnOrder[1]: expected 'c2', got 'c3'",
        "  due: attempt_log, state; got: attempt_log, state",
    ]


@pytest.mark.parametrize(("got", "line"), [([_LOG], "got nothing"), ([_LOG, _STATE, _LOG], "expected nothing")])
def test_missing_or_superfluous_event_is_a_difference(got: list[dict[str, object]], line: str) -> None:
    with pytest.raises(AssertionError, match=line):
        assert_same("raw SSE", got, [_LOG, _STATE])
