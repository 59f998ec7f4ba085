"""Fixtures of the tests against a real server: a separate server for each test."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tests.kit.deadline import deadline
from tests.kit.live_server import LiveServer, live_server
from tests.kit.publishing import Publisher
from tests.kit.sse_reader import open_stream
from tests.live.boards import BOARD, OTHER, everything, make_boards

__all__ = ["boards", "clean_log", "live", "standing", "unchanged"]

_WAIT_UNITS = 10


@pytest.fixture
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail the test if a fault was logged: no client may cause one."""
    yield
    faults = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not faults, [record.getMessage() for record in faults]


@pytest.fixture(scope="module")
async def standing() -> AsyncIterator[LiveServer]:
    """Run one server with the two boards for all tests of a module. They must not change it."""
    async with live_server() as server:
        await make_boards(server.address)
        yield server


@pytest.fixture
async def unchanged(standing: LiveServer, clean_log: None) -> AsyncIterator[LiveServer]:
    """Fail if the store has changed afterwards, or if a subscriber of a board or the dashboard got an event."""
    before = await everything(standing.node)
    targets = (f"/api/v1/sse?boardId={BOARD}", f"/api/v1/sse?boardId={OTHER}", "/api/v1/sse")
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(open_stream(standing.address, target)) for target in targets]
        async with deadline(_WAIT_UNITS):
            for stream in streams:
                assert (await stream.event())[0] == "hello"
                assert (await stream.event())[0] in {"state", "dashboard_overview"}
        yield standing
        assert await everything(standing.node) == before
        await Publisher(standing.address).mark("nothing came before this")
        async with deadline(_WAIT_UNITS):
            assert [(await stream.event())[0] for stream in streams] == ["agent_registered"] * 3


@pytest.fixture
async def live(clean_log: None) -> AsyncIterator[LiveServer]:
    """Run a server with an empty database in memory. Afterwards nothing of it may be left."""
    async with live_server() as server:
        yield server


@pytest.fixture
async def boards(live: LiveServer) -> LiveServer:
    """Make the two boards of `tests.live.boards` on the server."""
    await make_boards(live.address)
    return live
