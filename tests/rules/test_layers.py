"""The direction of imports: the repository keeps to it, and a tree that breaks it is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.layers import find_breaches
from tests.rules.trees import REPOSITORY, plant


def test_repository_imports_point_downwards() -> None:
    assert find_breaches(REPOSITORY) == []


@pytest.mark.parametrize(
    ("path", "text", "breach"),
    [
        ("realtime/fanout/hub.py", "import starlette.websockets", "realtime may not import starlette"),
        ("realtime/fanout/hub.py", "from graphql import parse", "realtime may not import graphql"),
        ("realtime/fanout/hub.py", "from schema.root import schema", "realtime may not import schema"),
        ("realtime/fanout/hub.py", "def late():\n    import server.app", "realtime may not import server"),
        ("schema/root.py", "from starlette.requests import Request", "schema may not import starlette"),
        ("schema/root.py", "import server.app", "schema may not import server"),
        ("realtime/kanban/commands.py", "from realtime.ports import EventStore", "(layer 1) may not import"),
        ("realtime/kanban/commands.py", "from .. import node", "(layer 1) may not import realtime.node (layer 7)"),
        ("realtime/fanout/hub.py", "from realtime.views import repair", "(layer 4) may not import"),
        (
            "schema/types/card.py",
            "from schema.root import schema",
            "(layer 4) may not import schema.root.schema (layer 8)",
        ),
        ("server/protocol/sse.py", "import server.app", "(layer 1) may not import server.app (layer 5)"),
        ("realtime/kanban/__init__.py", "from ..ports import EventStore", "realtime.ports.EventStore (layer 3)"),
        (
            "realtime/fanout/hub.py",
            "from realtime.streams import board_batches",
            "realtime.streams.board_batches (layer 8)",
        ),
        (
            "realtime/backends/memory.py",
            "import realtime.writing.bus",
            "(layer 3) may not import realtime.writing.bus (layer 6)",
        ),
        ("realtime/streams.py", "from realtime.backends.memory import MemoryBroker", "only server.wiring may import"),
        ("server/app.py", "from realtime import backends", "only server.wiring may import realtime.backends"),
        ("realtime/novelty.py", "", "give it a layer"),
        ("server/novelty/door.py", "", "give it a layer"),
    ],
)
def test_tree_with_an_import_upwards_is_caught(tmp_path: Path, path: str, text: str, breach: str) -> None:
    (found,) = find_breaches(plant(tmp_path, {path: text}))
    assert found.startswith(path)
    assert breach in found


def test_tree_with_imports_downwards_is_accepted(tmp_path: Path) -> None:
    files = {
        "realtime/streams.py": "from realtime.fanout.hub import Hub\nfrom .kanban.events import CardMoved",
        "realtime/fanout/hub.py": "from realtime import subscriber, envelopes",
        "realtime/backends/memory.py": "from realtime.ports import Broker\nfrom realtime.backends import sql",
        "schema/root.py": "import graphql, strawberry\nfrom realtime.streams import board_batches",
        "server/wiring.py": "from realtime.backends.memory import MemoryBroker\nimport starlette, schema.root",
    }
    assert find_breaches(plant(tmp_path, files)) == []
