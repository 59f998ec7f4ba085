"""Folders of source: the repository itself, and small trees that break a rule, to show that the rule can fail."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from textwrap import dedent

__all__ = ["PACKAGES", "REPOSITORY", "parse", "plant", "python_files"]

REPOSITORY = Path(__file__).resolve().parents[2]

#: The import packages, lowest first.
PACKAGES = ("realtime", "schema", "server")

_NOT_OURS = frozenset({"node_modules", ".venv", "__pycache__"})


def plant(root: Path, files: Mapping[str, str]) -> Path:
    """Write `files` (path below `root`: text, indentation removed) and return `root`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return root


def python_files(root: Path, places: Iterable[str]) -> Iterator[Path]:
    """Yield the Python files of `places` (folders or files below `root`) in order. A missing place has none."""
    for place in places:
        start = root / place
        found = [start] if start.is_file() else sorted(start.rglob("*.py"))
        yield from (path for path in found if _NOT_OURS.isdisjoint(path.parts))


@cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of one file, parsed once for all rules; a syntax error names the file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
