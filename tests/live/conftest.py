"""What the tests against a real server share: one of their own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.kit.live_server import LiveServer, live_server
from tests.live.boards import make_boards

__all__ = ["boards", "live"]


@pytest.fixture
async def live() -> AsyncIterator[LiveServer]:
    """Run a server with an empty database in memory; afterwards nothing of it may be left."""
    async with live_server() as server:
        yield server


@pytest.fixture
async def boards(live: LiveServer) -> LiveServer:
    """Make the two boards of `tests.live.boards` on the server."""
    await make_boards(live.address)
    return live
