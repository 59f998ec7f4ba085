"""A hostile page in Chromium, whose visitor is signed in: it reads nothing, and it changes nothing (docs/access.md)."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from tests.clients.node_script import NodeScript, run_script
from tests.clients.rest_client import BoardClient, open_board
from tests.clients.visit import START_UNITS, settings_for
from tests.kit.access_tokens import ADMIN, Admin
from tests.kit.live_server import LiveServer, live_server
from tests.kit.token_relay import relay_with_token

# A browser on a busy machine needs longer than the other tests.
pytestmark = [pytest.mark.chromium, pytest.mark.timeout(300)]

_WORD = "Quartz"
_NAMES = ["boards.test", "below.boards.test", "elsewhere.test"]
#: Host of the server → hosts of hostile pages: the same one (at another port), a name below it, others, an address.
_HOSTS = {
    "boards.test": ["boards.test", "below.boards.test", "elsewhere.test", "127.0.0.1"],
    "localhost": ["localhost", "127.0.0.1"],
    "127.0.0.1": ["127.0.0.1", "localhost"],
}


async def _attack(script: NodeScript, host: str) -> dict[str, str]:
    await script.order("attack", host=host)
    got: dict[str, str] = (await script.wait_for("attacked", units=200))["got"]
    return got


async def _check_harmless(script: NodeScript, live: LiveServer, host: str) -> None:
    """Require that a hostile page at this host gets nothing, and that its visitor notices nothing."""
    before, counters = _standing(live), live.node.counters
    got = await _attack(script, host)
    assert len(got) > 50
    leaks = {way: text for way, text in got.items() if _WORD in text or "may" in text or '"can"' in text}
    assert not leaks, (host, leaks)
    assert _standing(live) == before, (host, got)
    assert counters.exit("board-ws").readers == 1  # the page of the visitor
    assert counters.exit("board-sse").readers == counters.exit("dashboard-sse").readers == 0
    await script.order("look")
    assert (await script.wait_for("looked"))["state"] == "live"


def _standing(live: LiveServer) -> tuple[int, int]:
    return live.node.counters.events_stored, len(live.node.sessions)


def _settings(live: LiveServer, board: BoardClient, host: str, other_token: str) -> dict[str, Any]:
    common = settings_for(f"http://{host}:{live.address[1]}", board)
    return {**common, "names": _NAMES, "token": ADMIN, "columnId": board.column_ids[0], "otherToken": other_token}


@pytest.mark.parametrize(
    "settings",
    [{}, {"allowed_origins": "*"}, {"allow_local_origins": True}],
    ids=["usual", "all-origins", "local-origins"],
)
@pytest.mark.parametrize("host", _HOSTS)
async def test_hostile_page_reads_and_changes_nothing(
    host: str, settings: dict[str, Any], clients_present: None
) -> None:
    async with (
        live_server(tokens=SecretStr(ADMIN), **settings) as live,
        relay_with_token(live.address, ADMIN) as (relay, port),
        open_board(f"http://{relay}:{port}", f"{_WORD} Board") as board,
    ):
        await board.create_card(f"{_WORD} card")
        other = await Admin(live.address).make("attacker", boards=["none"])
        async with run_script("hostile_page.mjs", _settings(live, board, host, other.secret)) as script:
            await script.wait_for("ready", units=START_UNITS)
            for hostile in _HOSTS[host]:
                await _check_harmless(script, live, hostile)
            await _check_own_page(script, board)


async def _check_own_page(script: NodeScript, board: BoardClient) -> None:
    """Require that the same attempts succeed in a page of the server: so they would do harm elsewhere."""
    got = await _attack(script, "own")
    assert _WORD in got["read board cors"]
    assert _WORD in got["socket"]
    assert _WORD in got["socket graphql-transport-ws"]
    assert _WORD in got["socket graphql-ws"]
    assert "cursor" in got["events of the board"]
    assert "cursor" in got["events of the dashboard"]
    titles = orjson.dumps(await board.state()).decode()
    for way in ("page", "mutation", "socket", "subscription"):
        assert f"Made by a hostile {way}" in titles
