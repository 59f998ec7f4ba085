"""Error summaries: the selected line, and how it is cut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from realtime.dashboard.inbox import NO_SUMMARY, error_summaries, error_summary
from realtime.kanban.ids import AttemptId, BoardId
from tests.unit.realtime.dashboard.samples import ago, log


@pytest.mark.parametrize(
    ("lines", "summary"),
    [
        ([], NO_SUMMARY),
        ([("error", "one"), ("ERROR", "two"), ("info", "exit")], "two"),
        ([("info", "one"), ("warn", "two")], "two"),
        ([("error", "  spaced\n\tout\u00a0 text ")], "spaced out text"),
        ([("error", " \n ")], NO_SUMMARY),
        ([("error", "")], "Attempt failed"),
        ([("error", ""), ("info", "later")], "Attempt failed"),
    ],
)
def test_last_error_or_last_line_is_taken(lines: list[tuple[str, str]], summary: str) -> None:
    assert error_summary([log(message, level) for level, message in lines]) == summary


def test_latest_line_is_the_latest_in_time() -> None:
    assert error_summary([log("late", at=ago(1)), log("early", at=ago(2))]) == "late"


@pytest.mark.parametrize(("length", "cut"), [(199, "x" * 199), (200, "x" * 200), (201, "x" * 199 + "…")])
def test_summary_has_at_most_two_hundred_characters(length: int, cut: str) -> None:
    assert error_summary([log("x" * length)]) == cut


def test_summaries_are_of_the_attempts_asked_for() -> None:
    attempts = [(BoardId("p"), AttemptId("a")), (BoardId("p"), AttemptId("b"))]
    elsewhere = replace(log("other board"), project_id=BoardId("q"))
    logs = [log("one"), elsewhere, log("other", of="c"), log("two", of="b")]
    assert error_summaries(attempts, logs) == {("p", "a"): "one", ("p", "b"): "two"}
