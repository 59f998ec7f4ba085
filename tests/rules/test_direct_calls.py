"""No module of `schema` or `server` bypasses the service, and one that does is found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.direct_calls import find_direct_calls
from tests.rules.trees import REPOSITORY, plant


def test_no_module_bypasses_the_service() -> None:
    assert find_direct_calls(REPOSITORY) == []


@pytest.mark.parametrize(
    ("path", "text", "breach"),
    [
        ("schema/queries.py", "found = info.context.node.store.board(id)", "schema/queries.py:1: ask the service"),
        ("server/transports/ingest.py", "accepted = node.bus.ingest(events)", "instead of .bus"),
        ("server/transports/rest/boards.py", "view = node.views.get(id)", "instead of .views"),
        ("server/demo/show.py", "node.hub.publish(channel, envelopes)", "instead of .hub"),
        ("server/transports/sse.py", "from realtime.node import Limits, Node", "instead of realtime.node.Node"),
        ("server/transports/sse.py", "from realtime.streams import board_batches", "realtime.streams.board_batches"),
        ("server/process.py", "import realtime.writing.bus", "realtime.writing.bus"),
        ("schema/execution/loaders.py", "from realtime.ports import BatchReader", "realtime.ports.BatchReader"),
    ],
)
def test_module_that_bypasses_the_service_is_found(tmp_path: Path, path: str, text: str, breach: str) -> None:
    (found,) = find_direct_calls(plant(tmp_path, {path: text}))
    assert breach in found


def test_modules_that_call_the_service_are_accepted(tmp_path: Path) -> None:
    files = {
        "schema/queries.py": "from realtime.ports import Attempt\nfound = service.boards.stored(caller, id)",
        "server/transports/query.py": "from realtime.node import Limits",
        "server/wiring.py": "from realtime.node import make_node\nnode.bus.aclose()",
    }
    assert find_direct_calls(plant(tmp_path, files)) == []
