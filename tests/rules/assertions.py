"""Assertions belong in each test, and not in the packages, where `python -O` would remove them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.rules.trees import PACKAGES, parse, python_files

__all__ = ["find_removable_assertions", "find_tests_that_assert_nothing"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef

#: Calls that can fail a test by themselves.
_FAILING = frozenset({"raises", "warns", "fail", "run_state_machine_as_test"})
#: First words of the names of helpers that can fail a test. Such a helper must contain an assertion.
_CHECKING = re.compile(r"_?(assert|check|expect)(_|$)")


def find_removable_assertions(root: Path) -> list[str]:
    """Return the `assert` statements of the packages."""
    return [
        f"{path.relative_to(root)}:{node.lineno}: an assertion that python -O removes"
        for path in python_files(root, PACKAGES)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Assert)
    ]


def find_tests_that_assert_nothing(root: Path) -> list[str]:
    """Return the tests that neither assert nor call a helper with such a name, and such helpers that do not assert."""
    return [
        f"{path.relative_to(root)}:{function.lineno}: {function.name} asserts nothing"
        for path in python_files(root, ["tests"])
        if not path.is_relative_to(root / "tests/bench")  # its helpers measure
        for function in _functions(parse(path), path)
        if not _asserts(function) and (function.name.startswith("test_") or not _fails_otherwise(function))
    ]


def _functions(tree: ast.Module, path: Path) -> Iterator[_Function]:
    """Yield the tests, and the helpers whose names promise an assertion."""
    is_test_file = path.name.startswith("test_")
    for node in ast.walk(tree):
        if not isinstance(node, _Function) or _is_fixture(node):
            continue
        if (is_test_file and node.name.startswith("test_")) or _CHECKING.match(node.name):
            yield node


def _is_fixture(function: _Function) -> bool:
    return any("fixture" in ast.dump(one) for one in function.decorator_list)


def _asserts(function: _Function) -> bool:
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and (_word(node.func) in _FAILING or bool(_CHECKING.match(_word(node.func)))))
        for node in ast.walk(function)
    )


def _fails_otherwise(function: _Function) -> bool:
    """Whether it can fail by an error of its own or by a deadline."""
    return any(
        isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _word(node.func) == "deadline")
        for node in ast.walk(function)
    )


def _word(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
