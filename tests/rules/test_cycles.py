"""Import cycles: the repository has none, and a tree with one is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.cycles import find_cycle, find_room_cycles
from tests.rules.trees import REPOSITORY, plant


def test_repository_has_no_import_cycle() -> None:
    assert find_cycle(REPOSITORY) == []
    assert find_room_cycles(REPOSITORY) == []


@pytest.mark.parametrize(
    "files",
    [
        {
            "realtime/fanout/hub.py": "import realtime.writing.bus",
            "realtime/writing/bus.py": "from realtime.fanout.hub import Hub",
        },
        {
            "realtime/fanout/hub.py": "from ..writing import bus",
            "realtime/writing/bus.py": "def late():\n    from ..fanout.hub import Hub",
        },
        {"schema/__init__.py": "from schema.root import schema", "schema/root.py": "from schema import schema"},
    ],
    ids=["absolute", "relative-and-late", "through-the-package"],
)
def test_tree_with_a_cycle_is_caught(tmp_path: Path, files: dict[str, str]) -> None:
    cycle = find_cycle(plant(tmp_path, files))
    assert len(cycle) == 3
    assert cycle[0] == cycle[-1]


def test_tree_without_a_cycle_is_accepted(tmp_path: Path) -> None:
    files = {
        "realtime/fanout/hub.py": "import realtime.writing.bus, json",
        "realtime/writing/bus.py": "from realtime.errors import Error",
    }
    assert find_cycle(plant(tmp_path, files)) == []


@pytest.mark.parametrize(
    ("files", "cycle"),
    [
        (
            {
                "realtime/fanout/hub.py": "import realtime.views.feed",
                "realtime/views/board.py": "import realtime.fanout.queue",
            },
            {"realtime.fanout", "realtime.views"},
        ),
        (
            {
                "realtime/node.py": "import realtime.views.feed",
                "realtime/views/board.py": "from realtime.node import Node",
            },
            {"realtime.node", "realtime.views"},
        ),
        (
            {
                "realtime/kanban/wire/patch.py": "from realtime.kanban.input import many",
                "realtime/kanban/input/fields.py": "from realtime.kanban.wire.canonical import encode",
            },
            {"realtime.kanban.wire", "realtime.kanban.input"},
        ),
    ],
    ids=["two rooms", "a room and a module of its floor", "rooms of rooms"],
)
def test_rooms_that_need_each_other_are_caught(tmp_path: Path, files: dict[str, str], cycle: set[str]) -> None:
    named = [f"realtime/{room}/{name}.py" for room in ("fanout", "views") for name in ("hub", "queue", "feed", "board")]
    others = ["realtime/kanban/wire/canonical.py", "realtime/kanban/input/many.py"]
    tree = plant(tmp_path, {**dict.fromkeys([*named, *others], ""), **files})
    assert find_cycle(tree) == []
    (found,) = find_room_cycles(tree)
    assert set(found) == cycle
