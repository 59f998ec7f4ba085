"""Fixtures of every test: its event loop, migrated databases, and the number of test processes."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.kit.migrated import migrating_once
from tests.kit.postgres_databases import postgres, postgres_url
from tests.kit.redis_server import redis

__all__ = ["anyio_backend", "migrated_once", "postgres", "postgres_url", "pytest_xdist_auto_num_workers", "redis"]


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Run one process more than pytest-xdist would.

    Tests spend time waiting: a server checks only every 100 ms whether to stop.
    """
    return (yield) + 1


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests and fixtures of any scope on asyncio, the event loop of the server."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def migrated_once() -> Iterator[None]:
    """Migrate only the first in-memory database of each test process; the others are copies."""
    with migrating_once():
        yield
