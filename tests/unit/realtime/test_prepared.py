"""Statements that are compiled once: each value goes to the place of its name, or is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, bindparam, create_engine, insert, select

from realtime.backends.sql.prepared import Insertion, Prepared

_TABLE = Table("pairs", MetaData(), Column("a", Integer), Column("b", Integer))
_QUERY = select(_TABLE.c.a, _TABLE.c.b).where(_TABLE.c.a == bindparam("x"), _TABLE.c.b == bindparam("y"))


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Return a connection to a database with an empty table of pairs."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        _TABLE.create(connection)
        yield connection
    engine.dispose()


def test_rows_and_parameters_keep_their_order(connection: Connection) -> None:
    Insertion(insert(_TABLE), "a", "b").run(connection, [(n, -n) for n in range(7)])
    assert Prepared(_QUERY, "x", "y").rows(connection, 3, -3) == [(3, -3)]


def test_insertion_with_columns_in_another_order_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="in the order of the table"):
        Insertion(insert(_TABLE), "b", "a").run(connection, [(1, 2)])


def test_insertion_of_an_expression_is_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="expected plain values"):
        Insertion(insert(_TABLE).values(a=bindparam("a") + 1), "a", "b").run(connection, [(1, 2)])


def test_parameters_in_another_order_are_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match=r"expected the parameters \('y', 'x'\), got \['x', 'y'\]"):
        Prepared(_QUERY, "y", "x").rows(connection, 1, 2)
