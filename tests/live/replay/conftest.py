"""A new server for each replay, on every kind of store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.kit.live_server import LiveServer, live_server

__all__ = ["live", "store"]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of an empty database."""
    return {"database_url": request.getfixturevalue("postgres_url")} if request.param == "postgresql" else {}


@pytest.fixture
async def live(store: dict[str, str]) -> AsyncIterator[LiveServer]:
    """Run a server with an empty database. Afterwards nothing of it may be left."""
    async with live_server(**store) as server:
        yield server
