"""`RepeatedLines`: a few lines of each kind per window, then a count, in bounded memory."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from server.runtime.repeated_lines import LINES, LINES_OF_ALL, MAX_KINDS, WINDOW_SECONDS, RepeatedLines


def _record(words: str = "a client left", *filled: object, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("server", level, __file__, 1, words, filled, None)


def _said(lines: Sequence[logging.LogRecord]) -> list[str]:
    return [line.getMessage() for line in lines]


def test_first_lines_pass_and_the_rest_are_counted_once() -> None:
    repeated = RepeatedLines()
    passed = [_said(repeated.passed(_record(), now)) for now in range(50)]
    assert passed == [["a client left"]] * LINES + [[]] * (50 - LINES)
    lines = repeated.passed(_record(), WINDOW_SECONDS)
    assert _said(lines) == [f"repeated {50 - LINES} more times within 60 s: a client left", "a client left"]
    assert (lines[0].levelno, lines[0].name) == (logging.INFO, "server")


def test_any_line_tells_of_the_windows_that_are_over() -> None:
    repeated = RepeatedLines()
    for _ in range(LINES + 2):
        repeated.passed(_record(), 0)
    assert _said(repeated.passed(_record("other"), WINDOW_SECONDS)) == [
        "repeated 2 more times within 60 s: a client left",
        "other",
    ]
    assert repeated.rest() == []


@pytest.mark.parametrize("words", ["client %s left", "client 0x7f{0:x} left after {0} s"])
def test_arguments_of_a_line_make_no_other_kind(words: str) -> None:
    repeated = RepeatedLines()
    records = [_record(words, n) if "%" in words else _record(words.format(n)) for n in range(20)]
    assert sum(len(repeated.passed(record, 0)) for record in records) == LINES


def test_level_and_fault_make_another_kind() -> None:
    repeated = RepeatedLines()
    for _ in range(LINES):
        repeated.passed(_record(), 0)
    assert repeated.passed(_record(level=logging.ERROR), 0)
    fault = _record()
    fault.exc_info = (ValueError, ValueError("x"), None)
    assert repeated.passed(fault, 0)


def test_kinds_are_bounded_and_forgotten_ones_are_logged() -> None:
    repeated = RepeatedLines()
    for _ in range(LINES + 1):
        repeated.passed(_record("the oldest"), 0)
    said = [line for n in range(3 * MAX_KINDS) for line in _said(repeated.passed(_record(_word(n)), 0))]
    assert said.count("repeated 1 more times within 60 s: the oldest") == 1
    assert len(said) == 3 * MAX_KINDS + 1


def test_one_source_does_not_hide_the_lines_of_another() -> None:
    repeated = RepeatedLines()
    passed = [len(repeated.passed(_record(), 0, source)) for source in ["a"] * 100 + ["b"] * 100]
    assert passed == ([1] * LINES + [0] * (100 - LINES)) * 2
    assert _said(repeated.rest()) == [f"repeated {2 * (100 - LINES)} more times within 60 s: a client left"]


def test_lines_of_all_sources_are_bounded() -> None:
    repeated = RepeatedLines()
    assert sum(len(repeated.passed(_record(), 0, str(source))) for source in range(1000)) == LINES_OF_ALL
    assert sum(len(repeated.passed(_record(), WINDOW_SECONDS, str(source))) for source in range(2)) == 1 + 2


def _word(number: int) -> str:
    """Return a word without digits for each number."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))
