"""The histograms of `/metrics` have what really went through the server."""

from __future__ import annotations

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.kit.deadline import deadline
from tests.kit.live_server import live_server
from tests.kit.raw_http import Address, exchange
from tests.kit.raw_socket import open_socket

pytestmark = pytest.mark.usefixtures("clean_log")


async def _counts(address: Address) -> dict[str, float]:
    """Return the number of observations of each histogram with some."""
    text = (await exchange(address, "GET", "/metrics")).body.decode()
    samples = (one for family in text_string_to_metric_families(text) for one in family.samples)
    return {one.name.removesuffix("_count"): one.value for one in samples if one.name.endswith("_count") and one.value}


async def test_a_change_is_in_every_histogram_of_its_way() -> None:
    async with live_server() as live, deadline(20):
        made = await exchange(live.address, "POST", "/api/v1/projects", b'{"name":"P","repositoryPath":"/r"}')
        board = orjson.loads(made.body)["id"]
        before = await _counts(live.address)
        async with open_socket(live.address, f"/api/v1/ws?boardId={board}") as socket:
            state = [orjson.loads(await socket.receive_text()) for _ in range(2)][1]
            new = {"columnId": state["payload"]["columnOrder"][0], "title": "t"}
            await socket.send_json({"type": "create_card", "payload": new})
            assert orjson.loads(await socket.receive_text())["type"] == "state"
            after = await _counts(live.address)
    written = ("unit_seconds", "waiting_units", "group_units", "store_write_seconds", "broker_publish_seconds")
    more = [after[f"boardcast_{name}"] - before[f"boardcast_{name}"] for name in written]
    assert more == [1] * len(written)
    assert after["boardcast_delivery_seconds"] == 1
    assert "boardcast_delivery_seconds" not in before
