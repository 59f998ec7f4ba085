"""Chromium opens a web client that `--web-client` serves.

It makes the original client's requests and shows the board.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.node_script import run_script
from tests.clients.rest_client import open_board
from tests.clients.visit import START_UNITS, check_end_inside, settings_for
from tests.kit.live_server import live_server

# A browser on a busy machine needs longer than the other tests.
pytestmark = [pytest.mark.chromium, pytest.mark.timeout(240)]

_CLIENT = Path(__file__).parent / "web_client"


async def test_client_has_all_it_asks_for_and_shows_the_board() -> None:
    async with live_server(web_client=_CLIENT) as live, open_board(live.url) as board:
        await board.create_card("Here already")
        async with run_script("web_client.mjs", settings_for(live.url, board)) as script:
            shown = await script.wait_for("shown", units=START_UNITS)
            assert (shown["state"], shown["fault"], shown["titles"]) == ("live", "", ["Here already"])
            await board.create_card("Made meanwhile")
            await script.order("expectCard", title="Made meanwhile", columnId=board.column_ids[0])
            await script.wait_for("card")
            await check_end_inside(script, live.url)
