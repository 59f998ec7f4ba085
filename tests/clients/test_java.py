"""Java's HttpClient offers an upgrade to HTTP/2 with every request without TLS, including requests with bodies."""

from __future__ import annotations

import subprocess

import anyio
import orjson

from tests.clients.requirements import SCRIPTS, require_command
from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.live.boards import BOARD, TODO, make_boards

_WAIT_UNITS = 60


async def _calls(live: LiveServer) -> dict[str, tuple[int, str]]:
    """Return status and body of each call by its name."""
    command = ["java", str(SCRIPTS / "HttpCalls.java"), live.url, BOARD, TODO]
    async with deadline(_WAIT_UNITS):
        ran = await anyio.run_process(command, stderr=subprocess.STDOUT, check=False)
    lines = ran.stdout.decode().splitlines()
    assert ran.returncode == 0, lines
    parts = (line.split(" ", 2) for line in lines)
    return {name: (int(status), body) for name, status, body in parts}


async def test_calls_of_java_are_carried_out() -> None:
    require_command("java")
    async with live_server() as live:
        await make_boards(live.address)
        calls = await _calls(live)
    statuses = {name: status for name, (status, _) in calls.items()}
    assert statuses == {
        "card": 201,
        "chunked-card": 201,
        "event": 202,
        "large-events": 202,
        "chunked-events": 202,
        "graphql": 200,
        "get": 200,
    }
    assert len(orjson.loads(calls["chunked-events"][1])["accepted"]) == 501
    assert orjson.loads(calls["graphql"][1]) == {"data": {"__typename": "Query"}}
    cards = orjson.loads(calls["chunked-card"][1])["state"]["cards"].values()
    assert [card["title"] for card in cards].count("from Java") == 2
