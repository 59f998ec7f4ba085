"""The shape of the source: the repository keeps to it, and trees that do not are found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rules.shape import (
    MAX_FLOOR_FILES,
    find_bad_names,
    find_crowded_floors,
    find_long_files,
    find_long_functions,
    find_python_in_graphql,
    find_sleeps,
    find_waits,
)
from tests.rules.trees import REPOSITORY, plant

#: Put into the planted files from here, so that a search of the tests for sleeping finds none.
SLEEP = "sleep"

Rule = Callable[[Path], list[str]]

RULES: list[Rule] = [
    find_bad_names,
    find_crowded_floors,
    find_long_files,
    find_long_functions,
    find_python_in_graphql,
    find_sleeps,
    find_waits,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_repository_keeps_the_rule(rule: Rule) -> None:
    assert rule(REPOSITORY) == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (find_python_in_graphql, "graphql/__init__.py", ""),
        (find_python_in_graphql, "graphql/operations/board.py", "1"),
        (find_bad_names, "server/transports/utils.py", ""),
        (find_bad_names, "realtime/queue.py", ""),
        (find_long_files, "schema/types/inputs.py", "pass\n" * 401),
        (find_long_functions, "tests/unit/test_hub.py", "def long():\n" + "    pass\n" * 60),
        (find_long_functions, "server/app.py", "class App:\n    async def long(self):\n" + "        pass\n" * 60),
        (find_waits, "realtime/kanban/commands.py", "async def move(): ..."),
        (find_waits, "realtime/dashboard/health.py", "x = lambda rows: [row async for row in rows]"),
        (find_waits, "realtime/messages/position.py", "async def parse(): ..."),
        (find_waits, "server/protocol/http/sse_format.py", "async def block(): ..."),
        (find_sleeps, "tests/live/test_sockets.py", f"import time\ntime.{SLEEP}(0.01)"),
        (find_sleeps, "tests/kit/live_server.py", f"from anyio import {SLEEP}\n{SLEEP}(delay)"),
        (find_sleeps, "tests/kit/live_server.py", f"import asyncio\nasyncio.{SLEEP}(delay=1)"),
    ],
)
def test_tree_that_breaks_the_rule_is_caught(tmp_path: Path, rule: Rule, path: str, text: str) -> None:
    (found,) = rule(plant(tmp_path, {path: text}))
    assert found.startswith(path)


def test_crowded_floor_is_caught(tmp_path: Path) -> None:
    rooms = {f"realtime/room{n % 2}/module{n}.py": "" for n in range(2 * MAX_FLOOR_FILES)}
    assert find_crowded_floors(plant(tmp_path, rooms)) == []
    assert find_crowded_floors(plant(tmp_path, {"realtime/room0/more.py": ""})) == ["realtime/room0: 15 modules"]


def test_tree_at_the_limits_is_accepted(tmp_path: Path) -> None:
    files = {
        "graphql/schema.graphql": "type Query { boards: Int }",
        "server/__main__.py": "def main():\n" + "    pass\n" * 59,
        "schema/types/inputs.py": "pass\n" * 400,
        "realtime/fanout/hub.py": "async def run(): ...",
        "tests/live/test_sockets.py": "import anyio\nanyio.sleep(0)\nanyio.sleep_forever()",
        "tests/clients/node_modules/gyp/utils.py": f"import time\ntime.{SLEEP}(1)",
    }
    tree = plant(tmp_path, files)
    assert [rule(tree) for rule in RULES] == [[]] * len(RULES)
