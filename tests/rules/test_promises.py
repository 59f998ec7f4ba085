"""The tests by which `realtime/README.md` backs the promises exist under those names."""

from __future__ import annotations

import re

from tests.rules.trees import REPOSITORY

_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
_PROMISES = range(1, 7)


def _named(line: str) -> list[tuple[str, str]]:
    return [(path, test) for path, test in _NAMED.findall(line)]


def test_every_promise_names_tests_that_exist() -> None:
    page = (REPOSITORY / "realtime" / "README.md").read_text(encoding="utf-8")
    rows = {number: [line for line in page.splitlines() if line.startswith(f"| {number}. ")] for number in _PROMISES}
    for number, lines in rows.items():
        assert len(lines) == 1, f"expected one row for promise {number}, got {len(lines)}"
        named = _named(lines[0])
        assert len(named) >= 3, f"promise {number} names too few tests"
        assert [one for one in named if not _exists(*one)] == []


def test_a_name_that_does_not_exist_is_noticed() -> None:
    assert not _exists("tests/rules/test_promises.py", "test_that_was_renamed")
    assert not _exists("tests/rules/test_that_was_moved.py", "")


def _exists(path: str, test: str) -> bool:
    file = REPOSITORY / path
    return file.is_file() and (not test or f"def {test}(" in file.read_text(encoding="utf-8"))
