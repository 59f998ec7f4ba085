"""Both databases end with the same tables, columns, indices and constraints, which are those of `tables.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import BigInteger, Boolean, Connection, Integer, LargeBinary, Text, create_engine, inspect
from sqlalchemy.types import TypeEngine

from realtime.backends.sql.migrate import upgrade
from realtime.backends.sql.tables import metadata
from tests.kit.nodes import open_store

_KINDS = (Boolean, Integer, LargeBinary, Text)


@pytest.fixture
async def connections(tmp_path: Path, postgres_url: str) -> Any:
    """A connection to a migrated database of each kind."""
    urls = (f"sqlite:///{tmp_path / 'store.db'}", postgres_url)
    engines = []
    for url in urls:
        async with open_store(url):
            engines.append(create_engine(url.replace("postgresql://", "postgresql+psycopg://")))
    made = [engine.connect() for engine in engines]
    yield made
    for connection, engine in zip(made, engines, strict=True):
        connection.close()
        engine.dispose()


def _kind(type_: TypeEngine[Any]) -> str:
    if isinstance(type_, BigInteger):
        return "Integer"  # SQLite has one type for all integers
    return next((kind.__name__ for kind in _KINDS if isinstance(type_, kind)), str(type_))


def _shape(connection: Connection) -> dict[str, Any]:
    """Return what can be compared of each table."""
    looked = inspect(connection)
    return {
        table: {
            "columns": {
                column["name"]: (_kind(column["type"]), column["nullable"]) for column in looked.get_columns(table)
            },
            "key": looked.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(_unique(looked, table)),
            "indices": sorted(_indices(looked, table)),
            "checks": looked.get_check_constraints(table),
            "foreign": looked.get_foreign_keys(table),
        }
        for table in looked.get_table_names()
    }


def _unique(looked: Any, table: str) -> Iterator[list[str]]:
    for constraint in looked.get_unique_constraints(table):
        yield constraint["column_names"]


def _indices(looked: Any, table: str) -> Iterator[tuple[str, bool, list[str]]]:
    for index in looked.get_indexes(table):
        if not index.get("duplicates_constraint"):
            # A column that is sorted downwards is an expression in one of the two, and a column in the other.
            names = index.get("expressions") or index["column_names"]
            yield index["name"], bool(index["unique"]), [name.removesuffix(" DESC") for name in names]


async def test_both_databases_have_the_same_tables(connections: list[Connection]) -> None:
    sqlite, postgresql = [_shape(connection) for connection in connections]
    assert sqlite.keys() == postgresql.keys()
    for table, shape in sqlite.items():
        assert postgresql[table] == shape, table


async def test_tables_are_those_of_the_program(connections: list[Connection]) -> None:
    _, postgresql = connections  # in SQLite, Alembic does not see which columns an index sorts downwards
    assert compare_metadata(MigrationContext.configure(postgresql), metadata) == []


async def test_migration_can_inspect_the_tables(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Any] = []

    def upgrade_and_inspect(connection: Connection) -> None:
        upgrade(connection)
        found.extend(inspect(connection).get_indexes("attempts"))

    monkeypatch.setattr("realtime.backends.sql.postgres.postgres.upgrade", upgrade_and_inspect)
    async with open_store(postgres_url):
        assert len(found) == len(metadata.tables["attempts"].indexes)
