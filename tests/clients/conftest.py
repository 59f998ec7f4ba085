"""What the tests with real clients share: a server, a board on it, and the decision whether they can run."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from tests.clients.requirements import require_chromium, require_node
from tests.clients.rest_client import BoardClient, open_board
from tests.kit.live_server import LiveServer, live_server

__all__ = ["board", "clients_present", "live", "server_url"]


@pytest.fixture(autouse=True)
def clients_present(request: pytest.FixtureRequest) -> None:
    """Skip or fail a test marked `node` or `chromium` when its client is not installed."""
    if request.node.get_closest_marker("chromium"):
        require_chromium()
    elif request.node.get_closest_marker("node"):
        require_node()


@pytest.fixture
async def live(clients_present: None) -> AsyncGenerator[LiveServer]:
    """A fresh server; started only after it is known that the client is there."""
    async with live_server() as server:
        yield server


@pytest.fixture
def server_url(live: LiveServer) -> str:
    """The address of that server."""
    return live.url


@pytest.fixture
async def board(server_url: str) -> AsyncGenerator[BoardClient]:
    """A fresh board on that server."""
    async with open_board(server_url) as client:
        yield client
