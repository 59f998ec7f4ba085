"""Channels: subscribers of different things never share one by accident."""

from __future__ import annotations

import pytest

from realtime.kanban.ids import BoardId
from realtime.messages.channels import EVERYBODY, board_channel, board_of, dashboard_channel, delivery_channel
from realtime.messages.options import Delivery


@pytest.mark.parametrize("name", ["*", "dashboard:last_7d", "board:x", "", "last_7d", "patch:x"])
def test_board_of_any_id_has_a_channel_of_its_own(name: str) -> None:
    others = {EVERYBODY, dashboard_channel(name), dashboard_channel("last_7d"), board_channel(BoardId("other"))}
    assert board_channel(BoardId(name)) not in others
    assert board_of(board_channel(BoardId(name))) == name
    assert [board_of(other) for other in (EVERYBODY, dashboard_channel(name))] == [None, None]


@pytest.mark.parametrize("name", ["x", "board:x", "changes:x", "*"])
def test_deliveries_of_a_board_have_channels_of_their_own(name: str) -> None:
    channels = {delivery_channel(BoardId(id), delivery) for id in ("x", name) for delivery in Delivery}
    assert len(channels) == len({"x", name}) * len(Delivery)
    assert delivery_channel(BoardId(name), Delivery.STATE) == board_channel(BoardId(name))
