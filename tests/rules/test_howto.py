"""The pages of `docs/howto/` fit the source: each change finds its lines, and each import its name.

`tests/howto/` takes the steps and runs the commands. This is the quick part of it, for each change of the source.
"""

from __future__ import annotations

import ast
import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.pages import Change, NewFile, changed_paths, steps_of
from tests.rules.trees import PACKAGES, REPOSITORY, parse, plant

_PAGES = sorted((REPOSITORY / "docs" / "howto").glob("*.md"))


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_changes_and_imports_of_a_page_fit_the_source(page: Path, tmp_path: Path) -> None:
    assert steps_of(page)
    assert _taken(page, tmp_path) == []


def test_import_of_a_name_that_is_gone_is_caught(tmp_path: Path) -> None:
    steps = "New file `realtime/new.py`:\n\n```python\nfrom realtime.clock import iso, noon\n```\n"
    page = plant(tmp_path, {"README.md": steps}) / "README.md"
    assert _taken(page, tmp_path) == ["realtime/new.py: realtime.clock has no noon"]


def _taken(page: Path, root: Path) -> list[str]:
    """Take the steps of a page that change files, and return the imports in these files that lead nowhere."""
    for step in steps_of(page):
        if isinstance(step, Change) and not (root / step.path).exists():
            (root / step.path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / step.path, root / step.path)
        if isinstance(step, Change | NewFile):
            step.take(root)
    changed = [path for path in changed_paths(page) if path.endswith(".py")]
    new = {path.removesuffix(".py").replace("/", ".") for path in changed}
    return [f"{path}: {gone}" for path in changed for gone in _gone(parse(root / path), new)]


def _gone(tree: ast.Module, new: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.module or node.module in new:
            continue
        if node.module.partition(".")[0] in (*PACKAGES, "tests"):
            module = importlib.import_module(node.module)
            yield from (f"{node.module} has no {name.name}" for name in node.names if not hasattr(module, name.name))
