"""The node of the settings: its clock, and the retention of its log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from realtime.errors import BrokerUnusable
from realtime.messages.channels import board_channel
from realtime.node import Node
from server.settings import Settings
from server.wiring import check_broker_url, open_node
from tests.kit.deadline import deadline
from tests.kit.nodes import BOARD, create_board, publish
from tests.kit.publishing import event

_OFTEN = 0.001
_LINE = event("attempt.log.appended", {"attemptId": "a1", "boardId": BOARD, "level": "info", "message": "m"})


def _settings(folder: Path, clock: str, **more: Any) -> Settings:
    return Settings(database_url=f"sqlite:///{folder / 'b.db'}", clock=clock, **more)


async def _begins_at(node: Node, offset: int) -> None:
    """Return when the log of the board begins there."""
    async with deadline(10):
        while await node.store.pruned(board_channel(BOARD)) != offset - 1:
            pass


async def test_events_go_after_so_many_days_of_the_clock(tmp_path: Path) -> None:
    async with open_node(_settings(tmp_path, "2025-01-01T00:00:00Z")) as node:
        await create_board(node)
    async with open_node(_settings(tmp_path, "2025-01-01T12:00:00Z")) as node:
        await publish(node, _LINE)
    age_only = {"retention_days": 1.5, "retention_events": 0, "prune_seconds": _OFTEN}
    async with open_node(_settings(tmp_path, "2025-01-02T18:00:00Z", **age_only)) as node:
        await _begins_at(node, 2)
        assert [place for place, _ in (await node.store.event_page(board_channel(BOARD), 0, 10)).entries] == [2]


async def test_as_many_events_stay_as_the_settings_say_however_old(tmp_path: Path) -> None:
    async with open_node(_settings(tmp_path, "2025-01-01T00:00:00Z")) as node:
        await create_board(node)
        await publish(node, *[_LINE] * 9)
    count_only = {"retention_days": 0, "retention_events": 3, "prune_seconds": _OFTEN}
    async with open_node(_settings(tmp_path, "2999-01-01T00:00:00Z", **count_only)) as node:
        await _begins_at(node, 8)
        assert [place for place, _ in (await node.store.event_page(board_channel(BOARD), 0, 20)).entries] == [8, 9, 10]


async def test_broker_url_with_an_unknown_scheme_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(BrokerUnusable, match=r"^--broker-url: expected memory:// or .*, got 'carrier-pigeon'$"):
        check_broker_url("carrier-pigeon://loft")


async def test_memory_broker_takes_no_address(tmp_path: Path) -> None:
    with pytest.raises(BrokerUnusable, match=r"^--broker-url: expected memory://, got 'memory://here'$"):
        async with open_node(_settings(tmp_path, "2025-01-01T00:00:00Z", broker_url="memory://here")):
            pass
