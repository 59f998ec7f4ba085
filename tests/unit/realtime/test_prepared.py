"""Statements that are compiled once: each value goes to the place of its name, or is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, bindparam, create_engine, insert, select

from realtime.backends.sql.prepared import Insertion, NumberedInsertion, Prepared
from realtime.backends.sql.upsert import insert as upsert

_TABLE = Table("pairs", MetaData(), Column("a", Integer), Column("b", Integer))
_NUMBERED = Table(
    *("numbered", _TABLE.metadata, Column("id", Integer, primary_key=True)),
    *(Column("once", Integer), Column("label", Integer), Column("number", Integer)),
)
_QUERY = select(_TABLE.c.a, _TABLE.c.b).where(_TABLE.c.a == bindparam("x"), _TABLE.c.b == bindparam("y"))


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Return a connection to a database with empty tables."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        _TABLE.metadata.create_all(connection)
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


def test_rows_with_one_key_are_one_row_that_keeps_its_first_number_and_gets_the_last_updates(
    connection: Connection,
) -> None:
    made = upsert(_NUMBERED)
    made = made.on_conflict_do_update(index_elements=["id"], set_={"label": made.excluded.label})
    put = NumberedInsertion(made, _NUMBERED.c.number, *_NUMBERED.c.keys(), updated=["label"])
    put.run(connection, [(7, 1, 1)])
    put.run(connection, [(7, 2, 2), (8, 3, 3), (9, 4, 4), (8, 5, 5), (7, 6, 6)])
    rows = connection.execute(select(_NUMBERED).order_by(_NUMBERED.c.id)).all()
    assert rows == [(7, 1, 6, 1), (8, 3, 5, 3), (9, 4, 4, 4)]
