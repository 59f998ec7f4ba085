"""The map of a package: a table in its README with one row for each file and each room."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from tests.rules.trees import parse

__all__ = ["map_faults", "rooms_without_a_page"]

_SECTION = re.compile(r"^## Map\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| `([^`]+)` \| \S.* \|$", re.MULTILINE)
_PAGE = re.compile(r"\bdocs/[\w/-]+\.md\b")
_PYTHON = "*.py"


def map_faults(package: Path) -> list[str]:
    """Return one line for each file or room that is missing, repeated or unknown in the map of `package`.

    The files are those on the floor of the package. The rooms are all folders with Python files, at any depth, and the
    folders on the floor. A folder inside a room without a module of its own belongs to that room.
    """
    section = _SECTION.search((package / "README.md").read_text(encoding="utf-8"))
    named = Counter(_ROW.findall(section[1]) if section else ())
    there = _files(package) | _rooms(package)
    return [
        *(f"{package.name}/README.md: {name} is missing" for name in sorted(there - named.keys())),
        *(f"{package.name}/README.md: {name} is not there" for name in sorted(named.keys() - there)),
        *(f"{package.name}/README.md: {name} is named {count} times" for name, count in named.items() if count > 1),
    ]


def rooms_without_a_page(package: Path) -> list[str]:
    """Return the rooms of `package`, including itself, whose docstring names no page of `docs`."""
    found = sorted(package.rglob("__init__.py"))
    return [
        f"{path.relative_to(package.parent)}: name the page in docs/ that describes it"
        for path in found
        if not _PAGE.search(ast.get_docstring(parse(path)) or "")
    ]


def _files(package: Path) -> set[str]:
    return {path.name for path in package.glob(_PYTHON)} - {"__init__.py"}


def _rooms(package: Path) -> set[str]:
    folders = [path for path in package.rglob("*") if path.is_dir() and "__pycache__" not in path.parts]
    rooms = [path for path in folders if path.parent == package or any(path.glob(_PYTHON))]
    return {f"{path.relative_to(package).as_posix()}/" for path in rooms}
