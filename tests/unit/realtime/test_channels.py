"""Channels: no two readers' worlds share one by accident."""

from __future__ import annotations

import pytest

from realtime.channels import EVERYBODY, board_channel, board_of, dashboard_channel
from realtime.kanban.ids import BoardId


@pytest.mark.parametrize("name", ["*", "dashboard:last_7d", "board:x", "", "last_7d"])
def test_board_of_any_id_has_a_channel_of_its_own(name: str) -> None:
    others = {EVERYBODY, dashboard_channel(name), dashboard_channel("last_7d"), board_channel(BoardId("other"))}
    assert board_channel(BoardId(name)) not in others
    assert board_of(board_channel(BoardId(name))) == name
    assert [board_of(other) for other in (EVERYBODY, dashboard_channel(name))] == [None, None]
