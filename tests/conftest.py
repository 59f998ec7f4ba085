"""What every test shares: the event loop it runs on, databases that begin migrated, and how many run beside it."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.kit.migrated import migrating_once

__all__ = ["anyio_backend", "migrated_once", "pytest_xdist_auto_num_workers"]


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Run one process more than pytest-xdist would: a server looks every 100 ms only whether it is to stop."""
    return (yield) + 1


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests and fixtures, of any scope, on asyncio: the loop of the server."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def migrated_once() -> Iterator[None]:
    """Spare the tests' servers in memory the migrations, all but the first of each process."""
    with migrating_once():
        yield
