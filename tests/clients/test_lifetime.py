"""Clients whose connections reach their lifetime reconnect by themselves, repeatedly, and miss nothing."""

from __future__ import annotations

import pytest

from tests.clients.graphql_clients import CLIENTS, BoardSubscriber
from tests.clients.node_script import run_script
from tests.clients.rest_client import open_board
from tests.clients.stream_types import STREAM_TYPES
from tests.kit.deadline import deadline, seconds
from tests.kit.live_server import live_server

pytestmark = pytest.mark.node

_LIFETIME_UNITS = 0.5
_LIVES = 4
_WAIT_UNITS = 40


async def test_eventsource_comes_back_for_every_state_it_missed() -> None:
    async with live_server(max_connection_seconds=seconds(_LIFETIME_UNITS)) as live, open_board(live.url) as board:
        settings = {"streamUrl": f"{live.url}/api/v1/sse?boardId={board.board_id}", "types": STREAM_TYPES}
        async with run_script("eventsource.mjs", settings) as script, deadline(_WAIT_UNITS):
            for number in range(_LIVES):
                await script.wait_for("event", type="hello")
                await script.wait_for("event", type="goodbye")
                for title in ("Behind the goodbye", "and one more"):
                    await board.create_card(f"{number} {title}")
            await script.wait_for("event", type="hello")
            while len([report for report in script.reports if report.get("type") == "state"]) <= 2 * _LIVES:
                await script.wait_for("event", type="state")
    states = [report["data"] for report in script.reports if report.get("type") == "state"]
    assert [len(state["cards"]) for state in states] == list(range(2 * _LIVES + 1))
    goodbyes = [report["data"] for report in script.reports if report.get("type") == "goodbye"]
    assert {goodbye["reason"] for goodbye in goodbyes} == {"connection_lifetime"}


# One for each way in which a GraphQL connection ends: a close code, an error, the end of an answer.
@pytest.mark.parametrize("name", ["graphql-ws", "apollo-multipart", "graphql-sse"])
async def test_graphql_client_reconnects_to_the_current_state(name: str) -> None:
    async with (
        live_server(max_connection_seconds=seconds(_LIFETIME_UNITS)) as live,
        open_board(live.url) as board,
        CLIENTS[name].start(live.url) as script,
        deadline(_WAIT_UNITS),
    ):
        subscriber = BoardSubscriber(script, board)
        titles: list[str] = []
        await subscriber.subscribe("state")
        while live.node.hub.statistics().left < _LIVES:
            titles.append(f"Card {len(titles)}")
            await board.create_card(titles[-1])
            while await subscriber.titles("state") != titles:
                pass
        assert set(subscriber.reports_of("state")) == {"next"}
        await subscriber.leave()
