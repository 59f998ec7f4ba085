"""npm `eventsource`, the EventSource of Node.js, reads a board's raw stream."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import pytest

from tests.clients.cut_proxy import open_proxy
from tests.clients.node_script import NodeScript, run_script
from tests.clients.rest_client import BoardClient
from tests.clients.stream_types import STREAM_TYPES

pytestmark = pytest.mark.node


def start(url: str, board: BoardClient) -> AbstractAsyncContextManager[NodeScript]:
    stream_url = f"{url}/api/v1/sse?boardId={board.board_id}"
    return run_script("eventsource.mjs", {"streamUrl": stream_url, "types": STREAM_TYPES})


async def test_stream_opens_with_hello_state_and_statuses(server_url: str, board: BoardClient) -> None:
    card_id = await board.create_card("Worked on twice")
    for attempt_id in ("att-older", "att-newer"):
        await board.queue_attempt(attempt_id, card_id)
        await board.change_status(attempt_id, card_id, "running")
    async with start(server_url, board) as script:
        await script.wait_for("event", type="attempt_status")
        await script.wait_for("event", type="attempt_status")
        await script.finish()
    events = [report for report in script.reports if report["at"] == "event"]
    assert [event["type"] for event in events] == ["hello", "state", "attempt_status", "attempt_status"]
    assert events[1]["data"] == await board.state()
    assert [event["data"]["attemptId"] for event in events[2:]] == ["att-newer", "att-older"]
    assert {event["data"]["status"] for event in events[2:]} == {"running"}
    assert events[1]["id"] == events[0]["data"]["cursor"]


async def test_stream_carries_change_with_its_cursor(server_url: str, board: BoardClient) -> None:
    async with start(server_url, board) as script:
        first = await script.wait_for("event", type="state")
        await board.create_card("Made by REST")
        second = await script.wait_for("event", type="state")
        await script.finish()
    assert board.titles(first["data"], 0) == []
    assert board.titles(second["data"], 0) == ["Made by REST"]
    assert second["id"] != first["id"]


async def test_client_back_after_cut_gets_what_it_missed_and_no_more(server_url: str, board: BoardClient) -> None:
    async with open_proxy(server_url) as proxy, start(proxy.url, board) as script:
        last = await script.wait_for("event", type="state")
        assert proxy.cut() == 1
        await script.wait_for("lost")
        await board.create_card("Made while away")
        await script.wait_for("open", units=20)  # the client waits for some seconds before it tries again
        hello = await script.wait_for("event", type="hello")
        state = await script.wait_for("event", type="state")
        assert hello["data"]["cursor"] == last["id"]
        assert board.titles(state["data"], 0) == ["Made while away"]
        await board.create_card("Made afterwards")
        state = await script.wait_for("event", type="state")
        assert board.titles(state["data"], 0) == ["Made while away", "Made afterwards"]
        await script.finish()
    back = [report["type"] for report in script.reports[script.reports.index(hello) :] if report["at"] == "event"]
    assert back == ["hello", "state", "state"]
