"""What the tests against a real server share: one of their own for each test."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.kit.live_server import LiveServer, live_server
from tests.live.boards import make_boards

__all__ = ["boards", "clean_log", "live"]


@pytest.fixture
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let the test fail when somebody logged a fault: no client can make us do that."""
    yield
    faults = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not faults, [record.getMessage() for record in faults]


@pytest.fixture
async def live(clean_log: None) -> AsyncIterator[LiveServer]:
    """Run a server with an empty database in memory; afterwards nothing of it may be left."""
    async with live_server() as server:
        yield server


@pytest.fixture
async def boards(live: LiveServer) -> LiveServer:
    """Make the two boards of `tests.live.boards` on the server."""
    await make_boards(live.address)
    return live
