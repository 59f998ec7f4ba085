"""One server for all tests of a module; each test must leave the boards as they were."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.doors.stage import Stage, open_stage

__all__ = ["clean_log", "stage"]


@pytest.fixture(autouse=True)
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail the test if a fault was logged: no client may cause one."""
    yield
    faults = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert not faults, [record.getMessage() for record in faults]


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    """Run the server."""
    async with open_stage() as opened:
        yield opened


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run on the event loop of the server in production, which sends each part of an answer at once."""
    return "asyncio", {"use_uvloop": True}
