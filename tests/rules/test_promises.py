"""The tests that `docs/guarantees.md` names for its promises exist."""

from __future__ import annotations

import re

from tests.rules.trees import REPOSITORY

_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")
_SECTION = re.compile(r"^## (\d+)\. (.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_PROMISES = tuple(range(1, 10))


def test_every_promise_names_tests_that_exist() -> None:
    page = (REPOSITORY / "docs" / "guarantees.md").read_text(encoding="utf-8")
    sections = {int(number): text for number, text in _SECTION.findall(page)}
    assert tuple(sections) == _PROMISES
    for number, text in sections.items():
        named = _NAMED.findall(text)
        assert len(named) >= 3, f"promise {number} names too few tests"
        assert [one for one in named if not _exists(*one)] == []


def test_a_name_that_does_not_exist_is_noticed() -> None:
    assert not _exists("tests/rules/test_promises.py", "test_that_was_renamed")
    assert not _exists("tests/rules/test_that_was_moved.py", "")


def _exists(path: str, test: str) -> bool:
    file = REPOSITORY / path
    return file.is_file() and (not test or f"def {test}(" in file.read_text(encoding="utf-8"))
