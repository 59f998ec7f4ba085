"""One fixture for all back-ends: each test of this folder runs on every store that is installed here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from realtime.backends.sql.store import SqlStore
from tests.kit.nodes import MEMORY, open_store

__all__ = ["store", "store_url"]


def _sqlite_memory(_: pytest.FixtureRequest) -> str:
    return MEMORY


def _sqlite_file(request: pytest.FixtureRequest) -> str:
    folder: Path = request.getfixturevalue("tmp_path")
    return f"sqlite:///{folder / 'store.db'}"


def _postgresql(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("postgres_url")
    return url


#: Readable id → URL of an empty database. Add an entry for another back-end.
BACKENDS = {"sqlite-memory": _sqlite_memory, "sqlite-file": _sqlite_file, "postgresql": _postgresql}


@pytest.fixture(params=list(BACKENDS))
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database."""
    return BACKENDS[request.param](request)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    """An open, empty store."""
    async with open_store(store_url) as opened:
        yield opened
