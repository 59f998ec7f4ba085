"""A node continues at the end of the log."""

from __future__ import annotations

from pathlib import Path

from realtime.dashboard.time_range import DEFAULT_TIME_RANGE
from realtime.node import Limits
from tests.kit.nodes import create_board, open_node, open_store, publish
from tests.kit.publishing import event


async def test_new_node_stands_at_the_end_of_the_global_log(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'n.db'}"
    async with open_store(url) as store, open_node(store) as node:
        await publish(node, event("agent.registered", {"agent": "A"}), event("agent.registered", {"agent": "B"}))
        await create_board(node)
        overview = await node.dashboard.overview(DEFAULT_TIME_RANGE)
    async with open_store(url) as store, open_node(store) as node:
        assert node.dashboard.position.global_offset == 2
        again = await node.dashboard.overview(DEFAULT_TIME_RANGE)
    assert [stats.agent_id for stats in again.agent_stats] == [stats.agent_id for stats in overview.agent_stats]
    assert [project.id for project in again.project_snapshots] == ["p1"]


def test_queue_holds_what_the_largest_batch_makes() -> None:
    # A thousand events make at most three envelopes each for one subscriber: log, note, state.
    assert Limits().queued_envelopes >= 3 * 1000
