"""Chromium opens the page at `/` and an `EventSource` of a board, and sees the changes of others."""

from __future__ import annotations

import pytest

from tests.clients.cut_proxy import open_proxy
from tests.clients.faulty_proxy import open_faulty_proxy
from tests.clients.node_script import run_script
from tests.clients.rest_client import BoardClient
from tests.clients.stream_types import STREAM_TYPES
from tests.clients.visit import START_UNITS, check_end_inside, screenshot, settings_for
from tests.kit.deadline import deadline

# A browser on a busy machine needs longer than the other tests.
pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]


async def test_home_page_shows_changes_of_others(server_url: str, board: BoardClient) -> None:
    async with run_script("home_page.mjs", settings_for(server_url, board)) as script:
        assert (await script.wait_for("live", units=START_UNITS))["boards"] == ["Client Tests"]
        card_id = await board.create_card("Made by REST")
        await script.order("expectCard", title="Made by REST", columnId=board.column_ids[0])
        await script.wait_for("shown")
        await board.move_card(card_id, column=2)
        await script.order("expectCard", title="Made by REST", columnId=board.column_ids[2])
        await script.wait_for("shown")
        await check_end_inside(script, server_url)


async def test_home_page_moves_and_creates_cards(server_url: str, board: BoardClient) -> None:
    card_id = await board.create_card("To be moved")
    backlog, doing, _, done = board.column_ids
    async with run_script("home_page.mjs", settings_for(server_url, board)) as script:
        await script.wait_for("live", units=START_UNITS)
        await script.order("carry", cardId=card_id, keys=["ArrowRight", "ArrowRight", "ArrowLeft"])
        await script.order("expectCard", title="To be moved", columnId=doing)
        await script.wait_for("shown")
        await script.order("create", columnId=backlog, title="Made <b>in</b> the page")
        await script.order("expectCard", title="Made <b>in</b> the page", columnId=backlog)
        await script.wait_for("shown")
        await script.order("drag", cardId=card_id, columnId=done)
        await script.order("expectCard", title="To be moved", columnId=done)
        await script.wait_for("shown")
        await script.order("carry", cardId=card_id, keys=["ArrowLeft"])
        await script.order("expectError")
        assert (await script.wait_for("refused"))["text"]
        await check_end_inside(script, server_url)
    state = await board.state()
    assert (board.titles(state, 0), board.titles(state, 3)) == (["Made <b>in</b> the page"], ["To be moved"])


async def test_home_page_lists_activity_of_attempts(server_url: str, board: BoardClient) -> None:
    card_id = await board.create_card("Worked on")
    await board.create_card("Waiting")
    await board.queue_attempt("att-1", card_id)
    async with run_script("home_page.mjs", settings_for(server_url, board)) as script:
        await script.wait_for("live", units=START_UNITS)
        await script.order("expectStatus", cardId=card_id, status="queued")
        await script.wait_for("shown")
        await board.change_status("att-1", card_id, "running")
        await script.order("expectStatus", cardId=card_id, status="running")
        await script.wait_for("shown")
        await board.publish("attempt.log.appended", attemptId="att-1", level="warn", message="a <i>log</i> line")
        await script.order("expectActivity", type="attempt_log", text="a <i>log</i> line")
        await script.wait_for("shown")
        await script.order("screenshot", path=screenshot("page.png"))
        await check_end_inside(script, server_url)


async def test_home_page_catches_up_after_lost_connection(server_url: str, board: BoardClient) -> None:
    async with (
        open_proxy(server_url) as proxy,
        run_script("home_page.mjs", settings_for(proxy.url, board)) as script,
    ):
        await script.wait_for("live", units=START_UNITS)
        assert proxy.cut() > 0
        await script.order("expectConnection", state="reconnecting")
        await script.wait_for("connection")
        await board.create_card("Made while away")
        await script.order("expectCard", title="Made while away", columnId=board.column_ids[0])
        await script.wait_for("shown")
        await board.create_card("Made afterwards")
        await script.order("expectCard", title="Made afterwards", columnId=board.column_ids[0])
        await script.wait_for("shown")
        await script.order("expectConnection", state="live")
        await script.wait_for("connection")
        await check_end_inside(script, proxy.url)


async def test_home_page_comes_back_after_failures_of_a_proxy(server_url: str, board: BoardClient) -> None:
    async with (
        open_faulty_proxy(server_url) as proxy,
        run_script("home_page.mjs", settings_for(proxy.url, board)) as script,
    ):
        await script.wait_for("live", units=START_UNITS)
        proxy.status = 502
        proxy.cut()
        await script.order("expectConnection", state="reconnecting")
        await script.wait_for("connection")
        await board.create_card("Made while away")
        proxy.status = None
        await script.order("expectCard", title="Made while away", columnId=board.column_ids[0])
        await script.wait_for("shown")
        await script.order("expectConnection", state="live")
        await script.wait_for("connection")
        proxy.hush()  # a network that is gone without a word
        await board.create_card("Made on another network")
        await script.order("wake", target="window", event="online")
        await script.wait_for("connected")
        await script.order("expectCard", title="Made on another network", columnId=board.column_ids[0])
        await script.wait_for("shown")
        await check_end_inside(script, proxy.url)


@pytest.mark.parametrize(("target", "event"), [("window", "online"), ("document", "visibilitychange")])
async def test_home_page_ends_its_pause_when_somebody_looks(
    target: str, event: str, server_url: str, board: BoardClient
) -> None:
    async with (
        open_faulty_proxy(server_url) as proxy,
        run_script("home_page.mjs", settings_for(proxy.url, board)) as script,
    ):
        await script.wait_for("live", units=START_UNITS)
        proxy.status, proxy.retry_after = 503, 600  # longer than this test may last
        proxy.cut()
        async with deadline(20):
            await proxy.has_told_status.wait()
        proxy.status = None
        await script.order("wake", target=target, event=event)
        await script.wait_for("connected")
        await script.order("expectConnection", state="live")
        await script.wait_for("connection")
        await check_end_inside(script, proxy.url)


async def test_page_eventsource_sees_change_of_others(server_url: str, board: BoardClient) -> None:
    stream_url = f"/api/v1/sse?boardId={board.board_id}"
    settings = {**settings_for(server_url, board), "streamUrl": stream_url, "types": STREAM_TYPES}
    async with run_script("page_eventsource.mjs", settings) as script:
        hello = await script.wait_for("event", units=START_UNITS)
        state = await script.wait_for("event")
        assert (hello["type"], state["type"]) == ("hello", "state")
        await board.create_card("Made by REST")
        state = await script.wait_for("event", type="state")
        assert board.titles(state["data"], 0) == ["Made by REST"]
        await check_end_inside(script, server_url)
