"""The brokers of the tests: scheme → URL of a new one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.kit.redis_server import RedisServer

__all__ = ["BACKENDS", "folder_of"]


def folder_of(request: pytest.FixtureRequest) -> Path:
    """Return the folder of the test."""
    folder: Path = request.getfixturevalue("tmp_path")
    return folder


def _memory(_: pytest.FixtureRequest) -> str:
    return "memory://"


def _postgresql(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("postgres_url")
    return url


def _redis(request: pytest.FixtureRequest) -> str:
    server: RedisServer = request.getfixturevalue("redis")
    return server.url


#: Add an entry for another back-end.
BACKENDS: dict[str, Callable[[pytest.FixtureRequest], str]] = {
    "memory": _memory,
    "postgresql": _postgresql,
    "redis": _redis,
}
