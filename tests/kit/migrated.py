"""Migrated databases in memory: the migrations run once per test process, and all later databases start with a copy.

The migrations take 75 ms, more than most tests. Databases in files are migrated as usual.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from sqlite3 import Connection
from unittest.mock import patch

from sqlalchemy import Engine

from realtime.backends.sql.engine import make_engine, parse_url
from realtime.backends.sql.migrate import migrate

__all__ = ["migrating_once"]

IN_MEMORY = "sqlite://"


@contextmanager
def migrating_once() -> Iterator[None]:
    """Give in-memory databases a copy of the first one until the block ends."""
    with patch("realtime.backends.sql.sqlite.migrate", _migrate):
        yield


def _migrate(engine: Engine) -> None:
    if engine.url.database not in (None, "", ":memory:"):
        migrate(engine)
        return
    with _driver(engine) as connection:
        connection.deserialize(_migrated())


@cache
def _migrated() -> bytes:
    engine = make_engine(parse_url(IN_MEMORY), connections=1, immediate=True)
    migrate(engine)
    with _driver(engine) as connection:
        image = connection.serialize()
    engine.dispose()
    return image


@contextmanager
def _driver(engine: Engine) -> Iterator[Connection]:
    with closing(engine.raw_connection()) as pooled:
        connection = pooled.driver_connection
        assert isinstance(connection, Connection)
        yield connection
