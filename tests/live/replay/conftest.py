"""A new server for each replay."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.kit.live_server import LiveServer, live_server

__all__ = ["live"]


@pytest.fixture
async def live() -> AsyncIterator[LiveServer]:
    """Run a server with an empty database in memory. Afterwards nothing of it may be left."""
    async with live_server() as server:
        yield server
