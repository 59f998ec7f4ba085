"""A batch runs few statements, because each of them waits for the interpreter lock: the rows of a table go together."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.backends.sql.store import SqlStore
from tests.kit.nodes import BOARD, create_board, incoming, open_node
from tests.kit.publishing import event
from tests.kit.statements import counted

_EVENTS = 200
_AGENT = event("agent.registered", {"agent": "A", "label": "Agent"})
_LINE = event("attempt.log.appended", {"boardId": BOARD, "attemptId": "a1", "level": "info", "message": "m"})
_PROFILE = event("agent.profile.changed", {"profileId": "ap-1", "agent": "A", "kind": "updated", "label": "mine"})


def _agents(count: int) -> list[dict[str, Any]]:
    return [event("agent.registered", {"agent": f"A{n}", "label": f"{n}"}) for n in range(count)]


@pytest.mark.parametrize("store_url", ["sqlite-file"], indirect=True)
@pytest.mark.parametrize(
    "batch",
    [
        pytest.param([_AGENT] * _EVENTS, id="one agent"),
        pytest.param(_agents(_EVENTS), id="many agents"),
        pytest.param([_AGENT, _LINE] * (_EVENTS // 2), id="an agent and a line, in turns"),
        pytest.param([_AGENT, _LINE, _PROFILE, _LINE] * (_EVENTS // 4), id="three kinds, in turns"),
    ],
)
async def test_batch_of_any_order_runs_few_statements(store: SqlStore, batch: list[dict[str, Any]]) -> None:
    async with open_node(store) as node:
        await create_board(node)
        with counted(("",)) as seen:
            await node.bus.ingest(incoming(*batch))
    assert 0 < len(seen) < _EVENTS / 5
