"""Databases in memory that begin migrated: the migrations run once in a test process, all others begin with a copy.

They take 75 ms, which is more than most tests do. Databases in files are migrated as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from sqlite3 import Connection
from unittest.mock import patch

from sqlalchemy import Engine

from realtime.backends.sql.engine import make_engine, migrate, parse_url

__all__ = ["migrating_once"]

IN_MEMORY = "sqlite://"


@contextmanager
def migrating_once() -> Iterator[None]:
    """Give databases in memory a copy of the first one for the length of the block."""
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
