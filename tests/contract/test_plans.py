"""The plans of all statements of a store: none reads a large table whole, without a reason that is written down."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from realtime.backends.sql.store import SqlStore
from realtime.backends.sql.writing.transaction import SqlTransaction
from tests.bench.explain import plans, unreasoned
from tests.kit.large_tables import FEW
from tests.kit.plans import Statement, scans
from tests.kit.store_calls import CALLS, UNIT_CALLS


def _public(kind: type) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def test_every_method_of_the_store_is_called() -> None:
    assert set(CALLS) == _public(SqlStore) - {"open", "aclose", "transact"}
    assert set(UNIT_CALLS) == _public(SqlTransaction) - {"append", "flush", "remember"}


async def test_statements_of_sqlite_read_by_an_index(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'plans.db'}"
    statements = await plans(url, FEW)
    assert len(statements) > 100
    assert unreasoned(scans(url, statements.values())) == []


async def test_statements_of_postgresql_can_read_by_an_index(postgres_url: str) -> None:
    statements = await plans(postgres_url, FEW)
    assert len(statements) > 100
    assert unreasoned(scans(postgres_url, statements.values(), by_index=True)) == []


@pytest.mark.parametrize("text", ["SELECT count(*) FROM logs WHERE message = 'x'", "DELETE FROM logs WHERE ts < 1"])
async def test_statement_without_an_index_is_found(text: str, tmp_path: Path, postgres_url: str) -> None:
    for url in (f"sqlite:///{tmp_path / 'plans.db'}", postgres_url):
        await plans(url, FEW)
        (found,) = unreasoned(scans(url, [Statement(text)], by_index=True))
        assert found.table == "logs"
