"""Import cycles: the repository has none, and a tree with one is caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.cycles import find_cycle
from tests.rules.trees import REPOSITORY, plant


def test_repository_has_no_import_cycle() -> None:
    assert find_cycle(REPOSITORY) == []


@pytest.mark.parametrize(
    "files",
    [
        {"realtime/hub.py": "import realtime.bus", "realtime/bus.py": "from realtime.hub import Hub"},
        {"realtime/hub.py": "from . import bus", "realtime/bus.py": "def late():\n    from .hub import Hub"},
        {"schema/__init__.py": "from schema.root import schema", "schema/root.py": "from schema import schema"},
    ],
    ids=["absolute", "relative-and-late", "through-the-package"],
)
def test_tree_with_a_cycle_is_caught(tmp_path: Path, files: dict[str, str]) -> None:
    cycle = find_cycle(plant(tmp_path, files))
    assert len(cycle) == 3
    assert cycle[0] == cycle[-1]


def test_tree_without_a_cycle_is_accepted(tmp_path: Path) -> None:
    files = {"realtime/hub.py": "import realtime.bus, json", "realtime/bus.py": "from realtime.errors import Error"}
    assert find_cycle(plant(tmp_path, files)) == []
