"""Fixtures of the tests with real clients: a server, a board on it, and the check that the clients are installed."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.clients.requirements import require_chromium, require_node
from tests.clients.rest_client import BoardClient, open_board
from tests.kit.live_server import LiveServer, live_server

__all__ = ["board", "clients_present", "live", "server_url"]


@pytest.fixture(autouse=True)
def clients_present(request: pytest.FixtureRequest) -> None:
    """Skip or fail a test marked `node` or `chromium` if its client is not installed."""
    if request.node.get_closest_marker("chromium"):
        require_chromium()
    elif request.node.get_closest_marker("node"):
        require_node()


@pytest.fixture
async def live(clients_present: None) -> AsyncGenerator[LiveServer]:
    """A new server. It starts only after the check that the client is installed."""
    async with live_server() as server:
        yield server


@pytest.fixture
def server_url(live: LiveServer) -> str:
    """The address of that server."""
    return live.url


@pytest.fixture
async def board(server_url: str) -> AsyncGenerator[BoardClient]:
    """A new board on that server."""
    async with open_board(server_url) as client:
        yield client
