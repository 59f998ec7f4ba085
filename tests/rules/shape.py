"""The shape of the source: names and lengths of files, lengths of functions, pure code without waits, no sleeps."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from tests.rules.trees import PACKAGES, parse, python_files

__all__ = [
    "MAX_FILE_LINES",
    "MAX_FLOOR_FILES",
    "MAX_FUNCTION_LINES",
    "find_bad_names",
    "find_crowded_floors",
    "find_long_files",
    "find_long_functions",
    "find_python_in_graphql",
    "find_sleeps",
    "find_waits",
]

#: Lines of one function with its docstring, without its decorators.
MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400
#: Modules directly in one folder of the packages, without its `__init__.py`.
MAX_FLOOR_FILES = 14

#: Places with pure code: the same input gives the same output, at once.
PURE = (
    "realtime/kanban",
    "realtime/dashboard",
    "realtime/messages",
    "server/protocol",
)

_SOURCE = (*PACKAGES, "tests")
_FUNCTIONS: tuple[type[ast.FunctionDef | ast.AsyncFunctionDef], ...] = (ast.FunctionDef, ast.AsyncFunctionDef)
_WAITING = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)
_Node = TypeVar("_Node", bound=ast.AST)


def find_python_in_graphql(root: Path) -> list[str]:
    """Return the Python files in `graphql/`: one of them would hide graphql-core from every import."""
    folder = root / "graphql"
    return sorted(str(path.relative_to(root)) for pattern in ("*.py", "*.pyi") for path in folder.rglob(pattern))


def find_bad_names(root: Path) -> list[str]:
    """Return the files of source and tests named `utils.py` or like a module of the standard library."""
    bad = {*sys.stdlib_module_names, "utils", "util", "helpers", "misc"} - {"__main__"}
    return [str(path.relative_to(root)) for path in python_files(root, _SOURCE) if path.stem in bad]


def find_long_files(root: Path) -> list[str]:
    """Return the files with more than `MAX_FILE_LINES` lines, with their length."""
    lengths = ((path, len(path.read_text(encoding="utf-8").splitlines())) for path in python_files(root, _SOURCE))
    return [f"{path.relative_to(root)}: {length} lines" for path, length in lengths if length > MAX_FILE_LINES]


def find_crowded_floors(root: Path) -> list[str]:
    """Return the folders of the packages with more than `MAX_FLOOR_FILES` modules, with their number."""
    modules = (
        path for path in python_files(root, PACKAGES) if path.name != "__init__.py" and "versions" not in path.parts
    )
    floors = Counter(path.parent for path in modules)
    return [f"{floor.relative_to(root)}: {count} modules" for floor, count in floors.items() if count > MAX_FLOOR_FILES]


def find_long_functions(root: Path) -> list[str]:
    """Return the functions with more than `MAX_FUNCTION_LINES` lines, with their length. Nested functions count too."""
    return [
        f"{where}: {node.name} has {length} lines"
        for where, node in _nodes(root, _SOURCE, *_FUNCTIONS)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]


def find_waits(root: Path) -> list[str]:
    """Return the places in pure code that wait or could wait: `await`, `async def`, `async for`, `async with`."""
    return [
        f"{where}: {type(node).__name__} in pure code"
        for where, node in _nodes(root, PURE, *_WAITING, ast.comprehension)
        if not isinstance(node, ast.comprehension) or node.is_async
    ]


def find_sleeps(root: Path) -> list[str]:
    """Return the calls in `tests/` that sleep longer than zero. `sleep_forever` under a deadline is allowed."""
    return [
        f"{where}: sleeps"
        for where, node in _nodes(root, ("tests",), ast.Call)
        if _called(node) in {"sleep", "sleep_until"} and not _is_zero(node)
    ]


def _nodes(root: Path, places: tuple[str, ...], *kinds: type[_Node]) -> Iterator[tuple[str, _Node]]:
    for path in python_files(root, places):
        for node in ast.walk(parse(path)):
            if isinstance(node, kinds):
                yield f"{path.relative_to(root)}:{getattr(node, 'lineno', 1)}", node


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_zero(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and first.value == 0
