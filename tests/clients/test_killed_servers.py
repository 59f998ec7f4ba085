"""The panel of a card, the dashboard and the inspector in Chromium come back when their server dies."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.node_script import NodeScript, run_script
from tests.clients.rest_client import open_board
from tests.clients.restartable import restartable_server
from tests.clients.visit import START_UNITS, check_end_inside, settings_for

# A browser on a busy machine needs longer than the other tests.
pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]

_LIVE = '#connection[data-state="live"]'


async def _open(script: NodeScript, path: str, wait_for: str) -> None:
    await script.order("open", path=path, waitFor=wait_for)
    await script.wait_for("opened", units=START_UNITS)


async def _see(script: NodeScript, selector: str, text: str = "") -> None:
    await script.order("expect", selector=selector, text=text, state="visible")
    await script.wait_for("there", units=START_UNITS)


async def test_panel_dashboard_and_inspector_come_back_after_a_kill(tmp_path: Path) -> None:
    async with restartable_server(tmp_path) as server, open_board(server.url) as board:
        card_id = await board.create_card("Paint the fence")
        async with run_script("board_page.mjs", settings_for(server.url, board)) as script:
            await _open(script, f"/#{board.board_id}/card/{card_id}", "#attempt")
            await server.crash()
            await board.queue_attempt("att-1", card_id)
            await _see(script, "#attempt .badge", "queued")
            await _open(script, "/dashboard", '[data-figure="active"]')
            await server.crash()
            await board.change_status("att-1", card_id, "failed")
            await _see(script, '[data-figure="active"] dd', "0")
            await _see(script, _LIVE)
            await _open(script, "/inspector", "#streams tbody tr")
            await server.crash()
            line = {"attemptId": "att-1", "level": "info", "message": "after the kill"}
            await board.publish("attempt.log.appended", **line)
            await _see(script, "#log-events li", "after the kill")
            await _see(script, '#streams tr[data-exit="board-ws"]')
            await _open(script, "/docs", "#described details")
            await script.order("fill", selector="#filter", text="/past")
            await _see(script, "#described details", "/boards/{id}/past")
            await check_end_inside(script, server.url)
