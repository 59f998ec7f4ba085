"""What every test shares: the event loop it runs on, databases that begin migrated, and how many run beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.kit.migrated import migrating_once

__all__ = ["anyio_backend", "migrated_once", "pytest_xdist_auto_num_workers"]


def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores: a server looks every 100 ms only whether it is to stop."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests and fixtures, of any scope, on asyncio: the loop of the server."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def migrated_once() -> Iterator[None]:
    """Spare the tests' servers in memory the migrations, all but the first of each process."""
    with migrating_once():
        yield
